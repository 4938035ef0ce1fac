"""Store delivery events of emails, and archived counts of the funnel."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    _outbox()
    _delivery_event()
    _funnel_count()
    op.create_index(op.f("ix_lead_event_kind_at"), "lead_event", ["kind", "at"])


def _outbox() -> None:
    # No batch: SQLite would make the table anew. As SQL, since Alembic has no column with its
    # CHECK on SQLite.
    op.execute(
        "ALTER TABLE outbox ADD COLUMN delivery VARCHAR(10) NOT NULL DEFAULT ''"
        " CONSTRAINT ck_outbox_delivery CHECK (delivery IN"
        " ('', 'processed', 'deferred', 'delivered', 'bounced', 'dropped', 'reported'))"
    )
    op.add_column("outbox", sa.Column("delivery_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("alarm_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE outbox SET alarm_at = next_at WHERE state IN ('failed', 'dead')")
    for columns in (("state", "delivery", "created_at"), ("created_at", "id"), ("alarm_at",)):
        op.create_index(op.f(f"ix_outbox_{'_'.join(columns)}"), "outbox", columns)


def _delivery_event() -> None:
    op.create_table(
        "delivery_event",
        sa.Column("outbox_id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["outbox_id"],
            ["outbox.id"],
            name=op.f("fk_delivery_event_outbox_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("outbox_id", "digest", name=op.f("pk_delivery_event")),
    )


def _funnel_count() -> None:
    op.create_table(
        "funnel_count",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("article", sa.String(length=120), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.CheckConstraint("number >= 0", name=op.f("ck_funnel_count_number")),
        sa.PrimaryKeyConstraint("week", "article", "what", name=op.f("pk_funnel_count")),
    )
