"""Nobody empties the audit of a server either.

Written out, not taken from `tables`: what a step does must stay the same when the tables change later.
"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Refuse what a trigger for each row does not see; SQLite has no such statement."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
        )
