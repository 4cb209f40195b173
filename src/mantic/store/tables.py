"""The tables, for both databases; `migrations` makes them, and a test holds the two equal."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects import postgresql

REVISION = "0005"  # the newest step in migrations/versions

# Bytes decide the order on PostgreSQL too, whatever the language of its database.
TEXT = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
NUMBER = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up by itself only in an INTEGER

METADATA = MetaData()

VERSION = Table(
    "version",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sha256", TEXT, nullable=False),
    Column("n_bytes", BigInteger, nullable=False),
    Column("created", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("task", TEXT, nullable=False),
    Column("target", TEXT, nullable=False),
    Column("metric", TEXT, nullable=False),
    Column("score", Float(53)),
    Column("low", Float(53)),
    Column("high", Float(53)),
    Column("fingerprint", TEXT, nullable=False),
    Column("note", TEXT, nullable=False),
    Column("deleted", TEXT),  # when; the row stays, so that its number is never given again
    CheckConstraint("number > 0", name="version_number"),
    Index("version_sha256", "sha256"),
)

ALIAS = Table(
    "alias",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("alias", TEXT, primary_key=True),
    Column("number", Integer, nullable=False),
    ForeignKeyConstraint(["name", "number"], ["version.name", "version.number"], name="alias_version"),
)

MOVE = Table(
    "move",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("at", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),  # promote, rollback, remove
    Column("name", TEXT, nullable=False),
    Column("alias", TEXT, nullable=False),
    Column("before", Integer),
    Column("after", Integer),
    Index("move_alias", "name", "alias", "id"),
)

DEPLOYMENT = Table(
    "deployment",
    METADATA,
    Column("name", TEXT, primary_key=True),  # the version that answers is its champion
    Column("at", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("share", Float(53), nullable=False),  # of the callers whom its challenger answers; 0 is none
    CheckConstraint("share >= 0 AND share <= 1", name="deployment_share"),
)

SIGNATURE = Table(
    "signature",
    METADATA,
    Column("sha256", TEXT, primary_key=True),
    Column("key", TEXT, primary_key=True),
    Column("signature", TEXT, nullable=False),
    Column("at", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
)

DATASET = Table(
    "dataset",
    METADATA,
    Column("fingerprint", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("at", TEXT, nullable=False),
    Column("n_rows", BigInteger),
    Column("n_columns", BigInteger),
    Column("n_bytes", BigInteger),
    Column("facts", TEXT, nullable=False),
)

RUN = Table(
    "run",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),  # running, done, failed
    Column("started", TEXT, nullable=False),
    Column("ended", TEXT),
    Column("facts", TEXT, nullable=False),
    Index("run_started", "started"),
)

EVENT = Table(
    "event",
    METADATA,
    Column("run", TEXT, ForeignKey("run.id", name="event_run"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("facts", TEXT, nullable=False),
)

PREDICTION = Table(
    "prediction",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("number", Integer),
    Column("at", TEXT, nullable=False),
    Column("row", TEXT, nullable=False),
    Column("answer", TEXT, nullable=False),
    Index("prediction_at", "name", "at"),
)

OUTCOME = Table(
    "outcome",
    METADATA,
    Column("prediction", TEXT, primary_key=True),  # no foreign key: a label may arrive before the log is written
    Column("at", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("truth", TEXT, nullable=False),
    Index("outcome_at", "at"),
)

ALERT = Table(
    "alert",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("at", TEXT, nullable=False),
    Column("level", TEXT, nullable=False),
    Column("code", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("text", TEXT, nullable=False),
    Column("facts", TEXT, nullable=False),
    Column("closed", TEXT),
    Index("alert_at", "at"),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", NUMBER, primary_key=True),
    Column("at", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("action", TEXT, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("detail", TEXT, nullable=False),
    Index("audit_subject", "subject", "id"),
)

PERSON = Table(
    "person",
    METADATA,
    Column("id", TEXT, primary_key=True),
    Column("name", TEXT, nullable=False),
    Column("folded", TEXT, nullable=False),  # the name without its capitals: nobody may be called as another is
    Column("role", TEXT, nullable=False),
    Column("created", TEXT, nullable=False),
    Column("by", TEXT, nullable=False),
    Column("disabled", TEXT),  # since when
    Column("password", TEXT),  # its hash by argon2id
    Column("subject", TEXT),  # who it is for an OpenID provider
    Column("link", TEXT),  # the hash of a one-time link by which a password is chosen
    Column("link_until", TEXT),
    CheckConstraint("role IN ('viewer', 'editor', 'operator', 'admin')", name="person_role"),
    Index("person_folded", "folded", unique=True),
    Index("person_subject", "subject", unique=True),
)

SITTING = Table(
    "sitting",
    METADATA,
    Column("hash", TEXT, primary_key=True),  # of what the browser's cookie holds
    Column("person", TEXT, ForeignKey("person.id", name="sitting_person"), nullable=False),
    Column("created", TEXT, nullable=False),
    Column("seen", TEXT, nullable=False),
    Column("expires", TEXT, nullable=False),
    Column("agent", TEXT, nullable=False),
    Index("sitting_of_person", "person"),
    Index("sitting_expires", "expires"),
)

STORE = Table("store", METADATA, Column("id", TEXT, primary_key=True))  # one row: by it the blobs know their store

COUNTED = (MOVE, ALERT, AUDIT)  # their id is counted up by the database
PASSING = (SITTING, STORE)  # not in a backup: a restore would sign people in again, and make two stores one
