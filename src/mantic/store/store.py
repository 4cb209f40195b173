"""The Store: everything that is kept, behind one door."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from mantic.store.address import Address, where
from mantic.store.alerts import Alerts
from mantic.store.audit import Audit
from mantic.store.backup import Backup, back_up
from mantic.store.blobs import open_blobs
from mantic.store.database import Database
from mantic.store.datasets import Datasets
from mantic.store.deployments import Deployments
from mantic.store.models import Models
from mantic.store.opening import make_folder, prepare
from mantic.store.outcomes import Outcomes
from mantic.store.people import People
from mantic.store.predictions import Predictions
from mantic.store.prune import Pruning, free_bytes, prune
from mantic.store.runs import Runs
from mantic.store.signatures import Signatures
from mantic.store.sittings import Sittings
from mantic.store.sweep import GRACE_SECONDS, sweep
from mantic.store.value import author, before
from mantic.store.verify import Verified, verify


class Store:
    """What is kept, by kind; made by `open_store`.

    Attributes
    ----------
    models : versions and aliases.
    deployments : which models answer programs.
    runs, datasets : what was worked on.
    predictions, outcomes : what was answered, and what was true.
    alerts : what someone should look at.
    people, sittings : who may sign in to Studio, and who is.
    audit, signatures : who did what, and who vouches for which content.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.database = Database(address)
        self.blobs = open_blobs(address.blobs)
        self.models = Models(self.database, self.blobs)
        self.deployments = Deployments(self.database)
        self.runs = Runs(self.database)
        self.datasets = Datasets(self.database)
        self.predictions = Predictions(self.database)
        self.outcomes = Outcomes(self.database)
        self.alerts = Alerts(self.database)
        self.people = People(self.database)
        self.sittings = Sittings(self.database)
        self.audit = Audit(self.database)
        self.signatures = Signatures(self.database)

    def sweep(self, *, grace: float = GRACE_SECONDS) -> int:
        """Remove blobs that nothing has pointed at for `grace` seconds; return how many."""
        return sweep(self.database, self.blobs, grace=grace)

    def prune(self, days: int, *, keeps_outcomes: bool, by: str | None = None) -> Iterator[int]:
        """Remove predictions that are older, with their outcomes; yield how many after each transaction.

        Parameters
        ----------
        days : that predictions are kept.
        keeps_outcomes : whether those stay whose outcome is known.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, open_store(folder) as store:
        ...     sum(store.prune(90, keeps_outcomes=False))
        0
        """
        return prune(self.database, Pruning(before(days * 86_400.0), keeps_outcomes, author(by)))

    @property
    def free_bytes(self) -> int:
        """Return how much of a SQLite file is free for new rows."""
        return free_bytes(self.database)

    def back_up(self, path: str | Path) -> Backup:
        """Write everything that is kept at this moment to one file, atomically; `restore` reads it."""
        return back_up(self.database, self.blobs, path)

    def verify(self) -> Verified:
        """Look at every row and every byte; name every fault."""
        return verify(self.database, self.blobs)

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def __enter__(self) -> Self:
        """Start; the database is let go of when the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the database."""
        self.close()


def open_store(url: str | Path = "", *, blobs: str | Path = "") -> Store:
    """Open a store; one that is not there is made.

    Parameters
    ----------
    url : a folder, or ``postgresql://user@host/database``; empty is the folder of this user's data.
    blobs : where the models' files lie: a folder or ``s3://``, ``gs://``, ``abfs://``; needed with a server.

    Raises
    ------
    SettingsError : if there can be no store there.
    StoreError : if it cannot be opened, is damaged, or was written by a newer mantic.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, open_store(folder) as store:
    ...     store.models.list()
    []
    """
    address = where(str(url), str(blobs))
    if address.folder is not None:
        make_folder(address.folder)
    store = Store(address)
    try:
        prepare(store.database, store.blobs)
    except BaseException:
        store.close()
        raise
    return store
