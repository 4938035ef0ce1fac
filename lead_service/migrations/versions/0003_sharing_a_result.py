"""Store the link that shares a result; the owner can revoke it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # No batch: SQLite would make the table anew, and dropping the old one empties every
    # booking's reference to it. Columns that may be null and an index need no new table.
    op.add_column("assessment", sa.Column("share_uid", sa.String(length=32), nullable=True))
    op.add_column("assessment", sa.Column("share_hash", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_assessment_share_hash"), "assessment", ["share_hash"], unique=True)
