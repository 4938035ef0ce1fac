"""Store the browser of each session."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    browser = sa.Column("browser", sa.String(40), nullable=False, server_default="")
    op.add_column("desk_session", browser)
