"""What every page of Studio is handed."""

import sys
from dataclasses import asdict, dataclass, field
from typing import Self

from mantic.core.settings import Settings
from mantic.serve.job import JobLimits
from mantic.serve.job_runner import Jobs
from mantic.store.address import beside
from mantic.store.store import Store, open_store
from mantic.studio.draft_folder import DraftFolder
from mantic.studio.loaded import Loaded
from mantic.studio.readers import Readers
from mantic.studio.visitors import Visitors


@dataclass(frozen=True)
class Studio:
    """The rooms behind the pages; made by `open_studio`.

    Parameters
    ----------
    settings : as they were read by the face that starts it.
    store : models, runs, predictions and all else that is kept; open as long as Studio runs.
    drafts : data that were brought, and the questions about them.
    readers : the processes that read what was brought.
    jobs : tables that are answered beside the pages.
    loaded : models that were asked lately.
    visitors : who is signed in.
    """

    settings: Settings
    store: Store
    drafts: DraftFolder
    readers: Readers
    jobs: Jobs
    loaded: Loaded
    visitors: Visitors = field(default_factory=Visitors)

    def close(self) -> None:
        """End what runs for this process alone, and let go of the store."""
        self.readers.close()
        self.jobs.__exit__()
        self.store.close()

    def __enter__(self) -> Self:
        """Go on with what another Studio left which was killed."""
        self.jobs.__enter__()
        self.readers.resume()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def open_studio(settings: Settings) -> Studio:
    """Open Studio over the store that is set.

    Raises
    ------
    SettingsError, StoreError : if there can be no store, or no folder beside it.
    """
    ours = settings.store
    store = open_store(ours.url, blobs=ours.blobs)
    try:
        drafts = DraftFolder(beside(ours.url, ours.blobs, "drafts"))
        limits = JobLimits(**asdict(settings.jobs))
        jobs = Jobs(beside(ours.url, ours.blobs, "jobs"), [sys.executable, "-P", "-m", "mantic.cli.job"], limits)
        return Studio(settings, store, drafts, Readers(drafts), jobs, Loaded(store))
    except BaseException:
        store.close()
        raise
