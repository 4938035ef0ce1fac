"""Store when the owner of an address said that someone else had used it."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("lead", sa.Column("disowned_at", sa.DateTime(timezone=True)))
