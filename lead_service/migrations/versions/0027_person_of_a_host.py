"""Store which person of the site a host is."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("host", sa.Column("person", sa.String(60), nullable=False, server_default=""))
