"""Index bookings by host and start."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_index(op.f("ix_booking_host_id_starts_at"), "booking", ["host_id", "starts_at"])
    op.drop_index(op.f("ix_booking_host_id"), table_name="booking")
