"""What stands behind a server of all that is deployed in a store; the faces share it."""

from collections.abc import Callable
from pathlib import Path

from mantic.core.settings import StoreSettings
from mantic.core.stretch import days_of
from mantic.serve.log import PredictionLog
from mantic.serve.served import Estimator
from mantic.serve.sidecar import Kept
from mantic.store.address import beside

Load = Callable[[Path], Estimator]


def trusted(load: Load, settings: StoreSettings) -> Load:
    """Return what loads a model file of the store, if it is signed by somebody who is trusted, where that is required.

    Parameters
    ----------
    load : from the path of a model file to the model.
    """

    def load_trusted(path: Path) -> Estimator:
        if settings.signature == "require":
            from mantic.store.trust import check_followed

            check_followed(path, settings)
        return load(path)

    return load_trusted


def kept_deployed(settings: StoreSettings, load: Load) -> Kept:
    """Return the store behind a server of what is deployed; predictions are kept.

    Parameters
    ----------
    load : as for `trusted`.
    """
    log = PredictionLog(beside(settings.url, settings.blobs, "log"))
    loads, days = trusted(load, settings), kept_days(settings)
    return Kept(settings.url, settings.blobs, log, {}, {}, loads, is_deployed=True, keep_days=days)


def kept_days(settings: StoreSettings) -> int:
    """Return for how many days predictions are kept; 0 is for ever."""
    return days_of(settings.keep_predictions) if settings.keep_predictions else 0
