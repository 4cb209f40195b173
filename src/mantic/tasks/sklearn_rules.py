"""scikit-learn's rules for an estimator, kept without importing scikit-learn (which takes longer than a small fit).

Source: scikit-learn, Developing scikit-learn estimators.
"""

from inspect import Parameter, signature
from typing import Any, Self

import numpy as np


class Parameters:
    """`get_params`, `set_params` and the printed form; a child's `__init__` stores its arguments as they are."""

    def get_params(self, deep: bool | None = None) -> dict[str, Any]:
        """Return the parameters of `__init__` by name; `deep` is scikit-learn's and changes nothing here."""
        return {name: getattr(self, name) for name in _defaults(type(self))}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name.

        Raises
        ------
        ValueError : if there is no such parameter, as in scikit-learn.
        """
        known = _defaults(type(self))
        for name, value in params.items():
            if name not in known:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {sorted(known)!r}."
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """Return the call that makes it, with the parameters that differ from their defaults."""
        defaults = _defaults(type(self))
        own = {name: value for name, value in self.get_params().items() if not _equal(value, defaults[name])}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in own.items())})"


def tags(kind: str) -> Any:
    """Return scikit-learn's tags: missing values, texts and categories are accepted, a target is needed.

    Parameters
    ----------
    kind : "classifier" or "regressor".
    """
    from sklearn import utils

    return utils.Tags(
        estimator_type=kind,
        target_tags=utils.TargetTags(required=True),
        classifier_tags=utils.ClassifierTags() if kind == "classifier" else None,
        regressor_tags=utils.RegressorTags() if kind == "regressor" else None,
        input_tags=utils.InputTags(allow_nan=True, string=True, categorical=True),
    )


def _defaults(kind: type) -> dict[str, Any]:
    found = signature(kind).parameters.values()
    return {one.name: one.default for one in found if one.kind is not Parameter.VAR_KEYWORD}


def _equal(value: Any, default: Any) -> bool:
    try:
        return bool(np.all(value == default))
    except (TypeError, ValueError):
        return False
