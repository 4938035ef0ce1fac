"""Let the team confirm a call first, and remember by which clock a visitor reads times."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    # No batch, for the reason that 0004 gives.
    for name in ("awaits_confirmation", "visitor_24_hours"):
        op.execute(f"ALTER TABLE booking ADD COLUMN {name} BOOLEAN NOT NULL DEFAULT FALSE")
