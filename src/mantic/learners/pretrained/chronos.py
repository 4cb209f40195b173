"""Chronos-Bolt and Chronos-2, by the package `chronos`: from two files to a model that answers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np

from mantic.core.errors import ArtifactError
from mantic.core.lazy import need, quietly
from mantic.core.table import Array
from mantic.learners.pretrained.weights import TENSORS, Weights

NEEDS = ("torch", "chronos")
_WHY = "a pretrained model"
_N_NAMED = 3  # tensors, in a message


@lru_cache(maxsize=1)
def opened(weights: Weights) -> Any:
    """Return the pipeline of a model, which has answered once: what is done only at first is done.

    The network is made from the config that was checked, and takes its numbers from the one file; none of the loaders
    that look for more, here or on the hub, is called.

    Raises
    ------
    ArtifactError : if the numbers do not fit the network, or are none. MissingExtraError : if a package is missing.
    """
    family = weights.config.family
    with quietly():
        torch, module = need("torch", why=_WHY), need(family.module, why=_WHY)
        kind = getattr(module, family.model)
        with torch.device("meta"):  # shapes only: nothing is allocated before they are known to be right
            wanted = {name: tuple(one.shape) for name, one in kind(_config(weights)).named_parameters()}
        wrong = [name for name, shape in wanted.items() if weights.shapes.get(name) != shape]
        if wrong:
            some = ", ".join(wrong[:_N_NAMED])
            _refuse(weights, f"{len(wrong)} of {len(wanted)} tensors are missing or of another shape, as {some}")
        network = kind(_config(weights))
        network.load_state_dict(need("safetensors.torch", why=_WHY).load_file(weights.folder / TENSORS), strict=False)
        pipeline = getattr(module, family.pipeline)(network.eval())
    if not np.isfinite(said(pipeline, [np.sin(np.arange(2.0 * weights.config.patch))], 1, threads=1)).all():
        _refuse(weights, "its weights hold what is no number")
    return pipeline


def said(pipeline: Any, series: Sequence[Array], horizon: int, *, threads: int) -> Array:
    """Return the median of the next steps, shape (n_series, horizon).

    Parameters
    ----------
    series : the latest values of each; they may be of different lengths.
    """
    torch = need("torch", why=_WHY)
    with quietly(), _threads(torch, threads):  # it warns of horizons beyond its own
        inputs = [torch.tensor(one, dtype=torch.float32) for one in series]
        quantiles, _ = pipeline.predict_quantiles(inputs, prediction_length=horizon, quantile_levels=[0.5])
        return np.stack([np.asarray(one, dtype=float).reshape(horizon) for one in quantiles])


def _config(weights: Weights) -> Any:
    about = weights.config
    if about.family.n_inputs == 3:
        kind = need("chronos.chronos2", why=_WHY).Chronos2CoreConfig
    else:
        kind = need("transformers", why=_WHY).T5Config
    return kind(**about.sizes, architectures=[about.family.model], chronos_config=dict(about.steps))


@contextmanager
def _threads(torch: Any, number: int) -> Iterator[None]:
    """Let torch use so many threads for a while: the number belongs to the user's whole process."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _refuse(weights: Weights, what: str) -> None:
    raise ArtifactError(f"the pretrained model cannot be used: {what}", where=weights.source, fix="fetch it again")
