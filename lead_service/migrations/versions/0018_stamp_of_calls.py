"""Count the changes of each host's calls, to invalidate the cache of hosts."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("ALTER TABLE host ADD COLUMN calls_version INTEGER NOT NULL DEFAULT 1")
