"""The error of an estimator that was not fitted; loaded when it is raised, because it needs scikit-learn's."""

from sklearn.exceptions import NotFittedError as SklearnNotFittedError  # noqa: TID253

from mantic.core.errors import ManticError


class NotFittedError(ManticError, SklearnNotFittedError):  # type: ignore[misc]  # scikit-learn is untyped
    """The estimator must be fitted first."""
