"""Keep the time zone that a member reads the desk in."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.add_column(
        "member", sa.Column("zone", sa.String(length=64), nullable=False, server_default="")
    )
