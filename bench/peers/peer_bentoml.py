"""Serve LightGBM's own text by BentoML: `python peer_bentoml.py TREES FOLDER PORT` becomes its server."""

import os
import sys
from typing import Any

if __name__ == "__main__":
    trees, folder, port = sys.argv[1:]
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  (as text, for another process)
    environ = os.environ | {"TREES": trees, "BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": folder}
    words = ["serve", "peer_bentoml:Trees", "--port", port, "--host", "127.0.0.1", "--working-dir", here]
    os.execve(sys.executable, [sys.executable, "-m", "bentoml", *words], environ)

import bentoml
import lightgbm
import numpy as np


@bentoml.service(workers=1)
class Trees:
    """The model behind POST /predict."""

    def __init__(self) -> None:
        self._trees = lightgbm.Booster(model_file=os.environ["TREES"])

    @bentoml.api
    def predict(self, rows: list[list[float | None]]) -> list[float]:
        """Answer rows of numbers."""
        done: Any = self._trees.predict(np.array(rows, dtype=float), num_threads=1)
        return done.tolist()
