"""Keep that the owner of a mailbox said that someone else used its address."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("lead", sa.Column("disowned_at", sa.DateTime(timezone=True)))
