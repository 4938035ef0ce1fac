"""Store the source of self-assessments and calls, and each lead's first and last touch."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    for table in ("assessment", "booking"):
        source = sa.Column("source", sa.String(450), nullable=False, server_default="")
        op.add_column(table, source)
    for name in ("first_touch", "last_touch"):
        op.add_column("lead", sa.Column(name, sa.JSON()))
