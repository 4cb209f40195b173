"""Models that are deployed.

Written out, not taken from `tables`: what a step does must stay the same when the tables change later.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

_TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "deployment",
        sa.Column("name", _TEXT, primary_key=True),
        sa.Column("at", _TEXT, nullable=False),
        sa.Column("by", _TEXT, nullable=False),
        sa.Column("share", sa.Float(53), nullable=False),
        sa.CheckConstraint("share >= 0 AND share <= 1", name="deployment_share"),
    )
