"""Store the filters that members save."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.add_column("member", sa.Column("views", sa.JSON(none_as_null=True)))
