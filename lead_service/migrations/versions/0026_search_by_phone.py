"""Let leads that were here before be found by their phone number, as new ones are."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.execute("UPDATE lead SET sought = sought || '\n' || lower(phone) WHERE phone <> ''")
