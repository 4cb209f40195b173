"""LightGBM's answer for one row without its Python wrapper, which takes many times as long as its trees."""

import ctypes
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from mantic.core.lazy import need_alone
from mantic.core.table import Array

_WHY = "the boosting learner"
_RAW, _FLOAT64 = 1, 1  # C_API_PREDICT_RAW_SCORE, C_API_DTYPE_FLOAT64
_CALLS = ("LGBM_BoosterPredictForMatSingleRowFastInit", "LGBM_BoosterPredictForMatSingleRowFast", "LGBM_FastConfigFree")


def raw_of_row(booster: Any, n_rounds: int) -> Callable[[Array], Array]:
    """Return a function from one row (float64, shape (n_columns,)) to raw scores, shape (n_outputs,).

    Uses the part of LightGBM's C interface that is made for single rows; where a version has none, its `predict`.
    """
    library = getattr(need_alone("lightgbm.basic", why=_WHY), "_LIB", None)
    handle = getattr(booster, "_handle", None)
    if handle is None or not all(hasattr(library, name) for name in _CALLS):
        return lambda row: np.atleast_1d(
            booster.predict(row[None], raw_score=True, num_iteration=n_rounds, num_threads=1)[0]
        )
    return _FastRow(booster, n_rounds, library)


class _FastRow:
    """A prepared call. Buffers are shared between calls, so a lock lets in one at a time."""

    def __init__(self, booster: Any, n_rounds: int, library: Any) -> None:
        self._booster = booster  # its trees must live as long as the call
        self._free = library.LGBM_FastConfigFree
        self._call = library.LGBM_BoosterPredictForMatSingleRowFast
        self._config = ctypes.c_void_p()
        n_columns = booster.num_feature()
        code = library.LGBM_BoosterPredictForMatSingleRowFastInit(
            booster._handle, ctypes.c_int(_RAW), ctypes.c_int(0), ctypes.c_int(n_rounds), ctypes.c_int(_FLOAT64),
            ctypes.c_int32(n_columns), ctypes.c_char_p(b"num_threads=1"), ctypes.byref(self._config),
        )  # fmt: skip
        if code != 0:
            raise RuntimeError("LightGBM cannot prepare a call for single rows")
        self._row = np.empty(n_columns)
        self._out = np.empty(booster.num_model_per_iteration())
        self._length = ctypes.c_int64()
        self._arguments = (
            self._config,
            ctypes.c_void_p(self._row.ctypes.data),
            ctypes.byref(self._length),
            ctypes.c_void_p(self._out.ctypes.data),
        )
        self._lock = threading.Lock()

    def __call__(self, row: Array) -> Array:
        with self._lock:
            self._row[:] = row
            if self._call(*self._arguments) != 0:
                raise RuntimeError("LightGBM cannot answer for a row")
            return self._out.copy()

    def __del__(self) -> None:
        if self._config.value:
            self._free(self._config)
