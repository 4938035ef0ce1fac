"""The schema of version 0.1. Alembic names the constraints and indexes by our convention."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = None


def upgrade() -> None:
    _members()
    _leads()
    _lead_history()
    _emails()
    _deliveries()
    _assessments()
    _hosts()
    _host_dates()
    _calendars()
    _bookings()
    _time_cells()
    op.create_table(
        "funnel_count",
        sa.Column("week", sa.Date(), primary_key=True),
        _text("article", 120, primary_key=True),
        _text("what", 40, primary_key=True),
        _number("number"),
        sa.CheckConstraint("number >= 0", name="number"),
    )


def _members() -> None:
    op.create_table(
        "member",
        _id(),
        _text("email", 320, unique=True),
        _text("name", 120),
        _text("role", 20),
        _instant("created_at"),
        _instant("removed_at", nullable=True),
        sa.CheckConstraint("role IN ('member', 'admin')", name="role"),
    )
    op.create_table(
        "desk_session",
        _id(),
        _text("id_hash", 64, unique=True),
        _of("member", index=True),
        _instant("created_at"),
        _instant("seen_at"),
        _instant("ended_at", nullable=True),
    )
    op.create_table(
        "sign_in_link",
        _id(),
        _text("token_hash", 64, unique=True),
        _of("member", nullable=True, index=True),
        _instant("created_at"),
        _instant("expires_at"),
        _instant("used_at", nullable=True),
    )
    op.create_table(
        "audit",
        _id(),
        _instant("at", index=True),
        _of("member", None, nullable=True, index=True),
        _text("what", 40),
        _text("subject", 60, index=True),
        sa.Column("detail", sa.JSON(), nullable=False),
    )
    op.create_table("suppression", _text("digest", 64, primary_key=True), _instant("at"))


def _leads() -> None:
    op.create_table(
        "lead",
        _id(),
        _text("address", 320, unique=True),
        _text("email", 320),
        _text("name", 200),
        _text("company", 200),
        _text("phone", 60),
        _text("stage", 20),
        sa.Column("quarantine", sa.Boolean(), nullable=False),
        _instant("created_at", index=True),
        _instant("touched_at", index=True),
        _text("next_action", 200, server_default=""),
        sa.Column("next_action_on", sa.Date(), nullable=True, index=True),
        _number("version", server_default="1"),
        _instant("bounced_at", nullable=True),
        _text("sort_name", 80, server_default="", index=True),
        sa.Column("sought", sa.Text(), nullable=False, server_default=""),
        sa.Column("owner_id", sa.Integer(), sa.ForeignKey("member.id"), nullable=True),
        sa.CheckConstraint(
            "stage IN ('new', 'contacted', 'qualified', 'won', 'lost')", name="stage"
        ),
    )
    for column in ("stage", "owner_id"):
        op.create_index(f"ix_lead_{column}_touched_at", "lead", [column, "touched_at"])
    unowned = "owner_id IS NULL AND stage NOT IN ('won', 'lost')"
    for name, where, on_sqlite in (
        ("ix_lead_unowned", unowned, unowned),
        ("ix_lead_suspected", "quarantine", "quarantine = 1"),
        ("ix_lead_bounced", "bounced_at IS NOT NULL", "bounced_at IS NOT NULL"),
    ):
        op.create_index(
            name,
            "lead",
            ["touched_at"],
            postgresql_where=sa.text(where),
            sqlite_where=sa.text(on_sqlite),
        )


def _lead_history() -> None:
    op.create_table(
        "consent",
        _id(),
        _of("lead", index=True),
        _text("wording", 40),
        sa.Column("may_contact", sa.Boolean(), nullable=False),
        _text("source", 40),
        _instant("at"),
    )
    op.create_table(
        "lead_event",
        _id(),
        _of("lead", index=True),
        _text("kind", 40),
        _instant("at"),
        sa.Column("detail", sa.JSON(), nullable=False),
        _text("submission_key", 64, nullable=True, unique=True),
        sa.Index("ix_lead_event_kind_at", "kind", "at"),
    )
    op.create_table(
        "note",
        _id(),
        _of("lead", index=True),
        _of("member", None, nullable=True),
        _instant("at"),
        sa.Column("text", sa.Text(), nullable=False),
    )


def _emails() -> None:
    op.create_table(
        "outbox",
        _text("id", 32, primary_key=True),
        _text("kind", 40),
        _of("lead", "SET NULL", nullable=True, index=True),
        _text("address", 320),
        sa.Column("body", sa.Text(), nullable=True),
        _text("state", 10),
        _number("attempts"),
        _instant("created_at"),
        _instant("due_at"),
        _instant("next_at"),
        _instant("useless_after", nullable=True),
        _instant("leased_until", nullable=True),
        _text("lease_token", 32, nullable=True),
        _instant("failing_since", nullable=True),
        _text("provider_id", 200, nullable=True),
        _text("reason", 200),
        _instant("sent_at", nullable=True),
        _text("dedupe_key", 120, nullable=True, unique=True),
        _text("delivery", 10, server_default=""),
        _instant("delivery_at", nullable=True),
        _instant("alarm_at", nullable=True, index=True),
        sa.CheckConstraint(
            "state IN ('pending', 'sending', 'sent', 'failed', 'dead', 'expired', 'held',"
            " 'cancelled')",
            name="state",
        ),
        sa.CheckConstraint(
            "delivery IN"
            " ('', 'processed', 'deferred', 'delivered', 'bounced', 'dropped', 'reported')",
            name="delivery",
        ),
        sa.Index("ix_outbox_state_next_at", "state", "next_at"),
        sa.Index("ix_outbox_state_delivery_created_at", "state", "delivery", "created_at"),
        sa.Index("ix_outbox_created_at_id", "created_at", "id"),
    )


def _deliveries() -> None:
    op.create_table(
        "outbox_pause",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        _instant("paused_until", nullable=True),
        _number("pauses"),
        _instant("stopped_at", nullable=True),
        _text("stop_reason", 200),
        _text("key_fingerprint", 64),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    op.create_table(
        "delivery_event",
        sa.Column(
            "outbox_id",
            sa.String(32),
            sa.ForeignKey("outbox.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        _text("digest", 64, primary_key=True),
        _text("kind", 10),
        _instant("at"),
        _text("reason", 200),
    )
    op.create_table(
        "erasure_job",
        _id(),
        _text("address", 320, unique=True),
        _instant("asked_at"),
        _instant("next_at"),
        _number("attempts"),
        _text("reason", 200),
        _instant("alarm_at", nullable=True),
    )


def _assessments() -> None:
    op.create_table(
        "framework_version",
        _text("version", 64, primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        _instant("first_used_at"),
    )
    op.create_table(
        "assessment",
        _id(),
        _text("token_hash", 64, unique=True),
        sa.Column(
            "framework_version",
            sa.String(64),
            sa.ForeignKey("framework_version.version"),
            nullable=False,
        ),
        sa.Column("answers", sa.JSON(), nullable=False),
        _text("came_from", 120, nullable=True),
        _instant("started_at"),
        _instant("touched_at", index=True),
        _instant("completed_at", nullable=True),
        _of("lead", "SET NULL", nullable=True, index=True),
        _text("share_uid", 32, nullable=True),
        _text("share_hash", 64, nullable=True),
        sa.Index("ix_assessment_share_hash", "share_hash", unique=True),
    )


def _hosts() -> None:
    op.create_table(
        "host",
        _id(),
        _text("name", 120),
        _text("email", 320, unique=True),
        _text("zone", 64),
        _text("meeting_link", 500),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        *map(_number, ("duration", "interval", "buffer_before", "buffer_after", "notice")),
        _number("horizon_days", nullable=True),
        _number("daily_limit", nullable=True),
        _text("country", 2, server_default=""),
        _text("region", 20, server_default=""),
        _number("version", server_default="1"),
        _number("feed_version", server_default="1"),
        sa.CheckConstraint("buffer_before >= 0 AND buffer_after >= 0", name="buffers"),
        _fives("duration", "interval", "buffer_before", "buffer_after"),
        sa.CheckConstraint("duration > 0 AND interval > 0", name="positive"),
    )
    op.create_table(
        "opening_hours",
        _id(),
        _of("host", index=True),
        *map(_number, ("weekday", "opens", "closes")),
        _fives("opens", "closes"),
        sa.CheckConstraint("opens >= 0 AND opens < closes AND closes <= 2880", name="order"),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
    )


def _host_dates() -> None:
    op.create_table(
        "date_override",
        _id(),
        _of("host"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.UniqueConstraint("host_id", "day"),
    )
    op.create_table(
        "override_window",
        _id(),
        _of("date_override", name="override_id", index=True),
        _number("opens"),
        _number("closes"),
        _fives("opens", "closes"),
        sa.CheckConstraint("opens BETWEEN 0 AND 1435", name="start"),
        sa.CheckConstraint("opens < closes AND closes <= 2880", name="order"),
    )
    op.create_table(
        "time_off",
        _id(),
        _of("host", index=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        _text("note", 200),
        sa.CheckConstraint("first_day <= last_day", name="order"),
    )


def _calendars() -> None:
    op.create_table(
        "calendar_feed",
        _id(),
        _of("host"),
        _text("url", 2000),
        _text("label", 60),
        _text("etag", 500),
        _text("last_modified", 100),
        _text("content_hash", 64),
        _instant("fetched_at", nullable=True),
        _instant("succeeded_at", nullable=True),
        _text("zone", 64),
        _instant("known_until", nullable=True),
        _text("fault", 200),
        sa.UniqueConstraint("host_id", "label"),
    )
    op.create_table(
        "busy_time",
        _id(),
        _of("calendar_feed", name="feed_id"),
        _instant("starts_at"),
        _instant("ends_at"),
        sa.CheckConstraint("starts_at < ends_at", name="order"),
        sa.Index("ix_busy_time_feed_id_ends_at", "feed_id", "ends_at"),
    )


def _bookings() -> None:
    op.create_table(
        "booking",
        _id(),
        _text("uid", 64, unique=True),
        _number("sequence"),
        _text("token_hash", 64, unique=True),
        _text("submission_key", 64, unique=True),
        _of("host", None, index=True),
        _of("lead", index=True),
        _of("assessment", "SET NULL", nullable=True, index=True),
        _text("came_from", 120, nullable=True),
        _text("status", 20),
        sa.Column("quarantine", sa.Boolean(), nullable=False),
        _instant("starts_at", index=True),
        *map(_number, ("duration", "buffer_before", "buffer_after")),
        _text("host_zone", 64),
        _text("visitor_zone", 64),
        _text("meeting_link", 500),
        _text("name", 120),
        _text("email", 320),
        _number("address_changes"),
        _text("company", 120),
        _text("phone", 60),
        sa.Column("topic", sa.Text(), nullable=False),
        _instant("created_at"),
        _instant("cancelled_at", nullable=True),
        _text("outcome", 20, nullable=True),
        _instant("outcome_at", nullable=True),
        sa.CheckConstraint("status IN ('confirmed', 'cancelled')", name="status"),
        _fives("duration", "buffer_before", "buffer_after"),
        sa.CheckConstraint("outcome IN ('held', 'no_show')", name="outcome"),
    )


def _time_cells() -> None:
    op.create_table(
        "time_cell",
        _id(),
        _of("host", None),
        _instant("starts_at"),
        _of("booking", index=True),
        sa.UniqueConstraint("host_id", "starts_at"),
    )


def _id() -> sa.Column:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _text(name: str, length: int, *, nullable: bool = False, **more: Any) -> sa.Column:
    return sa.Column(name, sa.String(length), nullable=nullable, **more)


def _number(name: str, *, nullable: bool = False, **more: Any) -> sa.Column:
    return sa.Column(name, sa.Integer(), nullable=nullable, **more)


def _instant(name: str, *, nullable: bool = False, **more: Any) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, **more)


def _of(
    table: str,
    ondelete: str | None = "CASCADE",
    *,
    name: str = "",
    nullable: bool = False,
    **more: Any,
) -> sa.Column:
    key = sa.ForeignKey(f"{table}.id", ondelete=ondelete)
    return sa.Column(name or f"{table}_id", sa.Integer(), key, nullable=nullable, **more)


def _fives(*columns: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(" AND ".join(f"{name} % 5 = 0" for name in columns), name="fives")
