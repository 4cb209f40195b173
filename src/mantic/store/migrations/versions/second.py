"""People who sign in to Studio, and their sittings.

Written out, not taken from `tables`: what a step does must stay the same when the tables change later.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "person",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("folded", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("created", _TEXT, nullable=False),
        sa.Column("by", _TEXT, nullable=False),
        sa.Column("disabled", _TEXT),
        sa.Column("password", _TEXT),
        sa.Column("subject", _TEXT),
        sa.Column("link", _TEXT),
        sa.Column("link_until", _TEXT),
        sa.CheckConstraint("role IN ('viewer', 'editor', 'operator', 'admin')", name="person_role"),
    )
    op.create_index("person_folded", "person", ["folded"], unique=True)
    op.create_index("person_subject", "person", ["subject"], unique=True)
    op.create_table(
        "sitting",
        sa.Column("hash", _TEXT, primary_key=True),
        sa.Column("person", _TEXT, sa.ForeignKey("person.id", name="sitting_person"), nullable=False),
        sa.Column("created", _TEXT, nullable=False),
        sa.Column("seen", _TEXT, nullable=False),
        sa.Column("expires", _TEXT, nullable=False),
        sa.Column("agent", _TEXT, nullable=False),
    )
    op.create_index("sitting_of_person", "sitting", ["person"])
    op.create_index("sitting_expires", "sitting", ["expires"])
