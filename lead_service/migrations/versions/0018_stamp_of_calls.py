"""Count the changes of each host's calls, so that pages of times read calls only after one."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    # No batch, for the reason that 0004 gives.
    op.execute("ALTER TABLE host ADD COLUMN calls_version INTEGER NOT NULL DEFAULT 1")
