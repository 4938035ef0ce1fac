"""Keep which client a call came from for a while, and what was confirmed from its mailbox."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    # No batch, for the reason that 0004 gives.
    op.execute("ALTER TABLE booking ADD COLUMN client VARCHAR(16)")
    op.execute("ALTER TABLE booking ADD COLUMN is_proved BOOLEAN NOT NULL DEFAULT FALSE")
    op.execute("ALTER TABLE consent ADD COLUMN is_proved BOOLEAN NOT NULL DEFAULT FALSE")
