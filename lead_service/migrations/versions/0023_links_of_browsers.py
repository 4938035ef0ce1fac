"""Store which browser asked for a sign-in link, and the code that other browsers have to enter."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    for column in (
        "browser_hash VARCHAR(64)",
        "code VARCHAR(6)",
        "tries INTEGER NOT NULL DEFAULT 0",
        "is_mailed BOOLEAN NOT NULL DEFAULT FALSE",
    ):
        op.execute(f"ALTER TABLE sign_in_link ADD COLUMN {column}")
