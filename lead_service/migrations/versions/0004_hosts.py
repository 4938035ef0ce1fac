"""Hosts' dated hours, time off, holidays and calendars; what became of a call."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _columns()
    _date_override()
    _override_window()
    _time_off()
    _calendar_feed()
    _busy_time()


def _columns() -> None:
    # No batch: SQLite would make the tables anew, and dropping the old ones empties whatever
    # refers to them. Written as SQL, since Alembic has no column with its CHECK on SQLite.
    for column in (
        "country VARCHAR(2) NOT NULL DEFAULT ''",
        "region VARCHAR(20) NOT NULL DEFAULT ''",
        "version INTEGER NOT NULL DEFAULT 1",
        "feed_version INTEGER NOT NULL DEFAULT 1",
    ):
        op.execute(f"ALTER TABLE host ADD COLUMN {column}")
    op.execute(
        "ALTER TABLE booking ADD COLUMN outcome VARCHAR(20)"
        " CONSTRAINT ck_booking_outcome CHECK (outcome IN ('held', 'no_show'))"
    )
    op.add_column("booking", sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=True))


def _date_override() -> None:
    op.create_table(
        "date_override",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        _of_host("date_override"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_date_override")),
        sa.UniqueConstraint("host_id", "day", name=op.f("uq_date_override_host_id_day")),
    )


def _override_window() -> None:
    op.create_table(
        "override_window",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("override_id", sa.Integer(), nullable=False),
        sa.Column("opens", sa.Integer(), nullable=False),
        sa.Column("closes", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "opens % 5 = 0 AND closes % 5 = 0", name=op.f("ck_override_window_fives")
        ),
        sa.CheckConstraint("opens BETWEEN 0 AND 1435", name=op.f("ck_override_window_start")),
        sa.CheckConstraint(
            "opens < closes AND closes <= 2880", name=op.f("ck_override_window_order")
        ),
        sa.ForeignKeyConstraint(
            ["override_id"],
            ["date_override.id"],
            name=op.f("fk_override_window_override_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_override_window")),
    )
    op.create_index(op.f("ix_override_window_override_id"), "override_window", ["override_id"])


def _time_off() -> None:
    op.create_table(
        "time_off",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_time_off_order")),
        _of_host("time_off"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_off")),
    )
    op.create_index(op.f("ix_time_off_host_id"), "time_off", ["host_id"])


def _calendar_feed() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("etag", sa.String(length=500), nullable=False),
        sa.Column("last_modified", sa.String(length=100), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("known_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.String(length=200), nullable=False),
        _of_host("calendar_feed"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("host_id", "label", name=op.f("uq_calendar_feed_host_id_label")),
    )


def _busy_time() -> None:
    op.create_table(
        "busy_time",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_busy_time_order")),
        sa.ForeignKeyConstraint(
            ["feed_id"],
            ["calendar_feed.id"],
            name=op.f("fk_busy_time_feed_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_busy_time")),
    )
    op.create_index(op.f("ix_busy_time_feed_id_ends_at"), "busy_time", ["feed_id", "ends_at"])


def _of_host(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["host_id"], ["host.id"], name=op.f(f"fk_{table}_host_id"), ondelete="CASCADE"
    )
