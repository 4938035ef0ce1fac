"""Keep the price that a visitor agreed to with their call."""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute("ALTER TABLE booking ADD COLUMN price VARCHAR(80) NOT NULL DEFAULT ''")
