"""Let each booking keep its kind of call, and each host say which kinds they take."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("ALTER TABLE booking ADD COLUMN kind VARCHAR(60) NOT NULL DEFAULT 'discovery'")
    name = "call_name VARCHAR(80) NOT NULL DEFAULT 'Discovery call'"
    op.execute(f"ALTER TABLE booking ADD COLUMN {name}")
    op.add_column("host", sa.Column("call_types", sa.JSON(), nullable=True))
