"""Index emails by address and by the provider's id."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    for column in ("address", "provider_id"):
        op.create_index(op.f(f"ix_outbox_{column}"), "outbox", [column])
