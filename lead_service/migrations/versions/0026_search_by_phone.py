"""Make existing leads searchable by their phone number."""

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.execute("UPDATE lead SET sought = sought || '\n' || lower(phone) WHERE phone <> ''")
