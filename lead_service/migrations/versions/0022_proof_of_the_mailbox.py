"""Store which client booked a call, and whether its address and consents were confirmed."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("ALTER TABLE booking ADD COLUMN client VARCHAR(16)")
    op.execute("ALTER TABLE booking ADD COLUMN is_proved BOOLEAN NOT NULL DEFAULT FALSE")
    op.execute("ALTER TABLE consent ADD COLUMN is_proved BOOLEAN NOT NULL DEFAULT FALSE")
