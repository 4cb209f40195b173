"""What a report says, as values that JSON can hold."""

from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Turn nested values into what JSON can hold; NaN and infinity become None.

    >>> plain({"a": (np.float64(1.5), float("nan"))})
    {'a': [1.5, None]}
    """
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, (np.bool_, np.integer)):
        return value.item()
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
