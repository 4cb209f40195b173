"""From a raw table to a served prediction that can be trusted.

>>> import mantic
>>> model = mantic.Classifier(budget="60s", seed=0)

Importing this package loads the standard library only; each name below is imported when it is first used (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mantic.core.errors import ArtifactError as ArtifactError
    from mantic.core.errors import BudgetError as BudgetError
    from mantic.core.errors import ManticError as ManticError
    from mantic.core.errors import MissingExtraError as MissingExtraError
    from mantic.core.errors import SchemaError as SchemaError
    from mantic.core.errors import SettingsError as SettingsError
    from mantic.core.errors import SourceError as SourceError
    from mantic.core.errors import StoreError as StoreError
    from mantic.core.schema import Schema as Schema
    from mantic.report.blocks import Report as Report
    from mantic.sources.read import read as read
    from mantic.store.store import open_store as open_store
    from mantic.tasks.base import load as load
    from mantic.tasks.classify import Classifier as Classifier
    from mantic.tasks.fit import fit as fit
    from mantic.tasks.forecast import Forecaster as Forecaster
    from mantic.tasks.profile import profile as profile
    from mantic.tasks.regress import Regressor as Regressor

__version__ = "0.1.0"

# Where each public name lives; tests/unit/test_import.py holds this table and the block above equal.
_EXPORTS = {
    "ArtifactError": "mantic.core.errors",
    "BudgetError": "mantic.core.errors",
    "Classifier": "mantic.tasks.classify",
    "Forecaster": "mantic.tasks.forecast",
    "ManticError": "mantic.core.errors",
    "MissingExtraError": "mantic.core.errors",
    "Regressor": "mantic.tasks.regress",
    "Report": "mantic.report.blocks",
    "Schema": "mantic.core.schema",
    "SchemaError": "mantic.core.errors",
    "SettingsError": "mantic.core.errors",
    "SourceError": "mantic.core.errors",
    "StoreError": "mantic.core.errors",
    "fit": "mantic.tasks.fit",
    "load": "mantic.tasks.base",
    "open_store": "mantic.store.store",
    "profile": "mantic.tasks.profile",
    "read": "mantic.sources.read",
}

__all__ = ["__version__", *sorted(_EXPORTS)]  # noqa: PLE0604  (the names are the table's)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _EXPORTS:
        raise AttributeError(f"module 'mantic' has no attribute {name!r}")
    value = getattr(import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, used or not."""
    return sorted({*globals(), *_EXPORTS})
