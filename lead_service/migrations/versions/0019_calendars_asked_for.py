"""Store when a visitor last opened a start of a host, so that calendars are read sooner."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column(
        "calendar_feed", sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute("ALTER TABLE calendar_feed ADD COLUMN size INTEGER NOT NULL DEFAULT 0")
