"""Store which rows are demo data."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "demo_data",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("addresses", sa.JSON(), nullable=False),
        sa.Column("records", sa.JSON(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_demo_data_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demo_data")),
    )
