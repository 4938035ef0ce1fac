"""Index emails by mailbox, without the tag of the address (dora+x@)."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    mailbox = sa.Column("mailbox", sa.String(320), nullable=False, server_default="")
    op.add_column("outbox", mailbox)
    index = op.f("ix_outbox_mailbox_created_at")
    op.create_index(index, "outbox", ["mailbox", "created_at"])
