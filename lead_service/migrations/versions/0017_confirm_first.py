"""Let the team confirm a call first, and store whether its visitor uses a 24-hour clock."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    for name in ("awaits_confirmation", "visitor_24_hours"):
        op.execute(f"ALTER TABLE booking ADD COLUMN {name} BOOLEAN NOT NULL DEFAULT FALSE")
