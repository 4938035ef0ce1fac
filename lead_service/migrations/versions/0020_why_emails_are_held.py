"""Store why an email is held as a code instead of a sentence in `reason`."""

from alembic import op

revision = "0020"
down_revision = "0019"

RESTORED = "it waited when the backup was made, and may have been sent since"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE outbox ADD COLUMN hold VARCHAR(10)"
        " CONSTRAINT ck_outbox_hold CHECK (hold IN ('suspected', 'restored'))"
    )
    of_backup = f"state = 'held' AND reason = '{RESTORED}'"
    op.execute(f"UPDATE outbox SET hold = 'restored', reason = '' WHERE {of_backup}")
    op.execute("UPDATE outbox SET hold = 'suspected' WHERE state = 'held' AND hold IS NULL")
