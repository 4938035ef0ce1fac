"""Let a visitor's look at a start ask for a fresh reading of the calendars behind it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    # No batch, for the reason that 0004 gives.
    op.add_column(
        "calendar_feed", sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute("ALTER TABLE calendar_feed ADD COLUMN size INTEGER NOT NULL DEFAULT 0")
