"""What every page of Studio is handed."""

import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from typing import Self

from mantic.core.settings import Settings
from mantic.serve.job import JobLimits
from mantic.serve.job_runner import Jobs
from mantic.serve.key_file import KeyFile
from mantic.store.address import beside
from mantic.store.store import Store, open_store
from mantic.studio.backups import Backups
from mantic.studio.deployed import Deployed, open_deployed
from mantic.studio.draft_folder import DraftFolder
from mantic.studio.drawer import Drawer
from mantic.studio.loaded import Loaded
from mantic.studio.looks import Looks
from mantic.studio.provider import Provider, provider_of
from mantic.studio.readers import Readers
from mantic.studio.restores import Restores
from mantic.studio.source_file import SourceFile
from mantic.studio.trainer import Trainer
from mantic.studio.training import TrainingFolder
from mantic.studio.visitors import Visitors

_KEPT_SECONDS = 24 * 3600.0  # so long, data that were removed can be brought back


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
    trainer : who attends to the trainings.
    loaded : models that were asked lately.
    deployed : models that programs ask, at /v1.
    looks : what was seen of models that answer, a moment ago.
    visitors : who is signed in.
    keys : what programs that ask the API show.
    sources : databases and files by name.
    backups : what is being backed up.
    restores : backups that are brought back, beside the store.
    provider : by which people may sign in too.
    drawer : what was thrown away lately, and can be taken back.
    """

    settings: Settings
    store: Store
    drafts: DraftFolder
    readers: Readers
    jobs: Jobs
    trainer: Trainer
    loaded: Loaded
    deployed: Deployed
    looks: Looks
    visitors: Visitors
    keys: KeyFile
    sources: SourceFile
    backups: Backups
    restores: Restores
    drawer: Drawer
    provider: Provider | None = None

    def close(self) -> None:
        """End what runs for this process alone, and let go of the store."""
        self.deployed.close()
        self.readers.close()
        self.trainer.close()
        self.jobs.__exit__()
        self.loaded.close()
        self.store.close()

    def __enter__(self) -> Self:
        """Go on with what another Studio left which was killed."""
        self.jobs.__enter__()
        self.readers.resume()
        self.trainer.start()
        self.deployed.start()
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
        loaded = Loaded(store)
        pages, own = settings.studio, beside(ours.url, ours.blobs, "studio")
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        backups = Backups(store, own / "backups")
        trainings = TrainingFolder(beside(ours.url, ours.blobs, "trainings"))
        trainer = Trainer(trainings, settings, store, partial(_sweep, drafts, backups))
        keys = KeyFile(settings.serve.keys or own / "api-keys.json")
        return Studio(
            settings=settings,
            store=store,
            drafts=drafts,
            readers=Readers(drafts),
            jobs=jobs,
            trainer=trainer,
            loaded=loaded,
            deployed=open_deployed(settings, store, keys, jobs),
            looks=Looks(store, loaded),
            visitors=Visitors(store, pages.idle_minutes * 60.0, pages.sitting_hours * 3600.0),
            keys=keys,
            sources=SourceFile(own / "sources.json"),
            backups=backups,
            restores=Restores(store, beside(ours.url, ours.blobs, "restored")),
            drawer=Drawer(),
            provider=provider_of(pages),
        )
    except BaseException:
        store.close()
        raise


def _sweep(drafts: DraftFolder, backups: Backups) -> None:
    """Remove data that were removed a day ago, what is left of uploads that broke off, and backups of a day ago."""
    drafts.sweep(before=time.time() - _KEPT_SECONDS)
    backups.sweep()
