"""Store why a calendar blocks extra time, when its host was told, and its server's Retry-After."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE calendar_feed ADD COLUMN widened TEXT NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE calendar_feed ADD COLUMN rules INTEGER NOT NULL DEFAULT 0")
    for name in ("retry_at", "told_at"):
        column = sa.Column(name, sa.DateTime(timezone=True), nullable=True)
        op.add_column("calendar_feed", column)
    op.add_column("booking", sa.Column("former_hosts", sa.JSON(), nullable=True))
