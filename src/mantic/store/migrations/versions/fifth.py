"""Each store has an id, by which its place for blobs knows it.

Written out, not taken from `tables`: what a step does must stay the same when the tables change later.
"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"

_TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table, and draw the id; a restored store is another one and draws its own."""
    table = op.create_table("store", sa.Column("id", _TEXT, primary_key=True))
    op.bulk_insert(table, [{"id": uuid4().hex}])
