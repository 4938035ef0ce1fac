"""Count the funnel by source and kind of call, too, and index emails by lower-case address."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Recreate the table with another key; existing counts have no known source."""
    typed = [sa.column("week", sa.Date()), *map(sa.column, ("article", "what", "number"))]
    before = sa.select(sa.table("funnel_count", *typed))
    counted = op.get_bind().execute(before).all()
    op.drop_table("funnel_count")
    table = op.create_table(
        "funnel_count",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("way", sa.String(20), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("what", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.CheckConstraint("number >= 0", name=op.f("ck_funnel_count_number")),
        sa.PrimaryKeyConstraint("week", "way", "name", "what", name=op.f("pk_funnel_count")),
    )
    names = ("week", "name", "what", "number")
    rows = [{"way": "article"} | dict(zip(names, one, strict=True)) for one in counted]
    op.bulk_insert(table, rows)
    op.create_index(op.f("ix_assessment_started_at"), "assessment", ["started_at"])
    op.create_index(op.f("ix_booking_created_at"), "booking", ["created_at"])
    lower = sa.text("lower(address)")
    op.create_index(op.f("ix_outbox_lower_address"), "outbox", [lower])
