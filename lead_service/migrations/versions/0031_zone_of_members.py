"""Store the time zone of each member."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.add_column(
        "member", sa.Column("zone", sa.String(length=64), nullable=False, server_default="")
    )
