"""Bring the tables of a store to the form that this version of mantic knows."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from mantic.core.errors import StoreError
from mantic.store.tables import REVISION

_STEPS = Path(__file__).parent / "migrations"


def found(connection: Connection) -> str:
    """Return the step that a store has reached; empty when there are no tables yet."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def check_known(revision: str, where: str) -> None:
    """Refuse a store that a newer mantic wrote.

    Raises
    ------
    StoreError : if the step is not among those that are known here.
    """
    if revision in ("", REVISION):
        return
    from alembic.script import ScriptDirectory

    if revision not in {step.revision for step in ScriptDirectory(_STEPS).walk_revisions()}:
        raise StoreError(
            f"the store was written by a newer mantic (step {revision[:20]}; this one knows up to {REVISION})",
            where=where,
            fix="pip install --upgrade mantic",
        )


def upgrade(connection: Connection, to: str = "head") -> None:
    """Take every step up to one, or all, within the transaction of the connection."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory(_STEPS)
    with EnvironmentContext(
        Config(),
        steps,
        fn=lambda reached, _: steps._upgrade_revs(to, reached),  # alembic's own recipe for work without its ini file
        destination_rev=to,
    ) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
