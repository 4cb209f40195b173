"""The first tables; nobody changes or removes a row of the audit.

Written out, not taken from `tables`: what a step does must stay the same when the tables change later.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_REFUSE = "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"

_APPEND_ONLY = {
    "sqlite": (
        f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit {_REFUSE}",
        f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit {_REFUSE}",
    ),
    "postgresql": (
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()",
    ),
}


def upgrade() -> None:
    """Make the tables."""
    _registry()
    _work()
    _watching()
    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, _TEXT, nullable=False)


def _key(name: str) -> "sa.Column[str]":
    return sa.Column(name, _TEXT, primary_key=True)


def _id() -> "sa.Column[int]":
    return sa.Column("id", _NUMBER, primary_key=True)


def _number() -> "sa.Column[int]":
    return sa.Column("number", sa.Integer, primary_key=True, autoincrement=False)


def _registry() -> None:
    op.create_table(
        "version",
        _key("name"), _number(), _text("sha256"), sa.Column("n_bytes", sa.BigInteger, nullable=False),
        _text("created"), _text("by"), _text("task"), _text("target"), _text("metric"),
        sa.Column("score", sa.Float(53)), sa.Column("low", sa.Float(53)), sa.Column("high", sa.Float(53)),
        _text("fingerprint"), _text("note"), sa.Column("deleted", _TEXT),
        sa.CheckConstraint("number > 0", name="version_number"),
    )  # fmt: skip
    op.create_index("version_sha256", "version", ["sha256"])
    op.create_table(
        "alias",
        _key("name"), _key("alias"), sa.Column("number", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["name", "number"], ["version.name", "version.number"], name="alias_version"),
    )  # fmt: skip
    op.create_table(
        "move",
        _id(), _text("at"), _text("by"), _text("kind"), _text("name"), _text("alias"),
        sa.Column("before", sa.Integer), sa.Column("after", sa.Integer),
    )  # fmt: skip
    op.create_index("move_alias", "move", ["name", "alias", "id"])
    op.create_table("signature", _key("sha256"), _key("key"), _text("signature"), _text("at"), _text("by"))


def _work() -> None:
    counts = [sa.Column(name, sa.BigInteger) for name in ("n_rows", "n_columns", "n_bytes")]
    op.create_table("dataset", _key("fingerprint"), _text("name"), _text("at"), *counts, _text("facts"))
    op.create_table(
        "run",
        _key("id"), _text("name"), _text("kind"), _text("state"), _text("started"), sa.Column("ended", _TEXT),
        _text("facts"),
    )  # fmt: skip
    op.create_index("run_started", "run", ["started"])
    op.create_table(
        "event",
        sa.Column("run", _TEXT, sa.ForeignKey("run.id", name="event_run"), primary_key=True),
        _number(), _text("at"), _text("kind"), _text("facts"),
    )  # fmt: skip


def _watching() -> None:
    op.create_table(
        "prediction",
        _key("id"), _text("name"), sa.Column("number", sa.Integer), _text("at"), _text("row"), _text("answer"),
    )  # fmt: skip
    op.create_index("prediction_at", "prediction", ["name", "at"])
    op.create_table("outcome", _key("prediction"), _text("at"), _text("by"), _text("truth"))
    op.create_index("outcome_at", "outcome", ["at"])
    op.create_table(
        "alert",
        _id(), _text("at"), _text("level"), _text("code"), _text("name"), _text("text"), _text("facts"),
        sa.Column("closed", _TEXT),
    )  # fmt: skip
    op.create_index("alert_at", "alert", ["at"])
    op.create_table("audit", _id(), _text("at"), _text("by"), _text("action"), _text("subject"), _text("detail"))
    op.create_index("audit_subject", "audit", ["subject", "id"])
