"""Hosts: their hours and rules, the days that differ, and the calendars that keep them busy."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from ...call_types import HALF_HOUR, PHONE, VIDEO, CallType, CallTypes
from ...db.base import NUMBERS_FOR_LIFE, Base


def fives(*columns: str) -> CheckConstraint:
    """Keep minutes to multiples of five, the length of a time cell."""
    rule = " AND ".join(f"{column} % 5 = 0" for column in columns)
    return CheckConstraint(rule, name="fives")


class Host(Base):
    """A person who takes calls: where they are, how they are reached, and by which rules."""

    __tablename__ = "host"
    __table_args__ = (
        UniqueConstraint("email"),
        fives("duration", "interval", "buffer_before", "buffer_after"),
        CheckConstraint("duration > 0 AND interval > 0", name="positive"),
        CheckConstraint("buffer_before >= 0 AND buffer_after >= 0", name="buffers"),
        NUMBERS_FOR_LIFE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(320))
    person: Mapped[str] = mapped_column(String(60), default="")  # slug of their Person, if any
    zone: Mapped[str] = mapped_column(String(64))  # IANA name
    country: Mapped[str] = mapped_column(String(2), default="")  # whose holidays; empty: none
    region: Mapped[str] = mapped_column(String(20), default="")  # of that country, as ISO 3166-2
    meeting_link: Mapped[str] = mapped_column(String(500), default="")  # empty: we call you
    is_active: Mapped[bool] = mapped_column(default=True)
    # Minutes of a call before docs/calls.yml said how long it is; `setup.problems` compares them.
    duration: Mapped[int] = mapped_column(default=HALF_HOUR)
    call_types: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))  # see `takes`
    interval: Mapped[int] = mapped_column(default=30)  # these four in minutes
    buffer_before: Mapped[int] = mapped_column(default=0)
    buffer_after: Mapped[int] = mapped_column(default=0)
    notice: Mapped[int] = mapped_column(default=240)
    horizon_days: Mapped[int | None] = mapped_column(default=45)
    daily_limit: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)  # rises with each edit; see host_cache
    # Rises with each change of a call of theirs; see host_cache.
    calls_version: Mapped[int] = mapped_column(default=1)
    feed_version: Mapped[int] = mapped_column(default=1)  # of the link to the feed of bookings

    hours: Mapped[list["OpeningHours"]] = relationship(
        cascade="all, delete-orphan", order_by="OpeningHours.weekday, OpeningHours.opens"
    )
    overrides: Mapped[list["DateOverride"]] = relationship(
        cascade="all, delete-orphan", order_by="DateOverride.day"
    )
    time_off: Mapped[list["TimeOff"]] = relationship(
        cascade="all, delete-orphan", order_by="TimeOff.first_day"
    )
    feeds: Mapped[list["CalendarFeed"]] = relationship(
        cascade="all, delete-orphan", order_by="CalendarFeed.id", back_populates="host"
    )

    def takes(self, kind: CallType, default: CallType) -> bool:
        """Say whether the host takes calls of a kind: it is chosen, and they can meet that way."""
        return self.chose(kind, default) and (kind.meet != VIDEO or bool(self.meeting_link))

    def chose(self, kind: CallType, default: CallType) -> bool:
        """Say whether a kind is chosen; until a choice is made, only the default is."""
        return kind.slug in ([default.slug] if self.call_types is None else self.call_types)

    def meeting_link_for(self, uid: str, kind: CallType) -> str:
        """Return where a call takes place: `{room}` in the link is a room of its own."""
        if kind.meet == PHONE:
            return ""
        room = hashlib.sha256(f"room of {uid}".encode()).hexdigest()[:12]
        return self.meeting_link.replace("{room}", room)


def who_take(hosts: Iterable[Host], kind: CallType, calls: CallTypes) -> list[Host]:
    """Return the hosts who take calls of a kind."""
    return [host for host in hosts if host.takes(kind, calls.default)]


def offered_calls(session: Session, calls: CallTypes) -> CallTypes:
    """Return the kinds of call that a host takes, and the default one in any case."""
    if len(calls.all) == 1:
        return calls
    hosts = session.scalars(select(Host).where(Host.is_active)).all()
    return CallTypes(
        tuple(one for one in calls.all if one == calls.default or who_take(hosts, one, calls))
    )


class OpeningHours(Base):
    """One weekly window of a host, on the host's wall clock."""

    __tablename__ = "opening_hours"
    __table_args__ = (
        fives("opens", "closes"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("opens >= 0 AND opens < closes AND closes <= 2880", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id", ondelete="CASCADE"), index=True)
    weekday: Mapped[int]  # 0 is Monday
    opens: Mapped[int]  # minutes after midnight; closes may pass 1440, into the next date
    closes: Mapped[int]


class DateOverride(Base):
    """A date with hours of its own in place of the weekly ones; without windows, a day off."""

    __tablename__ = "date_override"
    __table_args__ = (UniqueConstraint("host_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id", ondelete="CASCADE"))
    day: Mapped[date]  # in the host's zone

    windows: Mapped[list["OverrideWindow"]] = relationship(
        cascade="all, delete-orphan", order_by="OverrideWindow.opens"
    )


class OverrideWindow(Base):
    """One window of an overridden date, in minutes as those of every week."""

    __tablename__ = "override_window"
    __table_args__ = (
        fives("opens", "closes"),
        CheckConstraint("opens BETWEEN 0 AND 1435", name="start"),
        CheckConstraint("opens < closes AND closes <= 2880", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    override_id: Mapped[int] = mapped_column(
        ForeignKey("date_override.id", ondelete="CASCADE"), index=True
    )
    opens: Mapped[int]
    closes: Mapped[int]


class TimeOff(Base):
    """Dates on which a host takes no calls, both ends included; nothing opens them."""

    __tablename__ = "time_off"
    __table_args__ = (CheckConstraint("first_day <= last_day", name="order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id", ondelete="CASCADE"), index=True)
    first_day: Mapped[date]  # in the host's zone
    last_day: Mapped[date]
    note: Mapped[str] = mapped_column(String(200), default="")  # for the team's eyes


class CalendarFeed(Base):
    """A private calendar of a host, read for the times at which they are busy.

    Anyone with `url` can read that calendar: it is shown and logged by its host name only.
    What was read last stays until something better is read, and says for how long it is good.
    """

    __tablename__ = "calendar_feed"
    __table_args__ = (UniqueConstraint("host_id", "label"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id", ondelete="CASCADE"))
    url: Mapped[str] = mapped_column(String(2000))
    label: Mapped[str] = mapped_column(String(60))
    etag: Mapped[str] = mapped_column(String(500), default="")  # these two as the server gave them
    last_modified: Mapped[str] = mapped_column(String(100), default="")
    content_hash: Mapped[str] = mapped_column(String(64), default="")
    fetched_at: Mapped[datetime | None]  # the latest try
    wanted_at: Mapped[datetime | None]  # since then, a visitor has looked at a start of the host's
    size: Mapped[int] = mapped_column(default=0)  # bytes, of the latest reading
    succeeded_at: Mapped[datetime | None]  # the latest time its server confirmed what we hold
    zone: Mapped[str] = mapped_column(String(64), default="")  # by which floating times were read
    rules: Mapped[int] = mapped_column(default=0)  # the RULES of `calendars.sync` at that reading
    known_until: Mapped[datetime | None]  # events after it were not looked at
    fault: Mapped[str] = mapped_column(String(200), default="")  # of the latest try, in words
    retry_at: Mapped[datetime | None]  # not before, as its server asked with Retry-After
    widened: Mapped[str] = mapped_column(Text, default="")  # why it blocks more, one reason a line
    told_at: Mapped[datetime | None]  # when people were told that it is not believed anymore

    host: Mapped[Host] = relationship(back_populates="feeds")


class BusyTime(Base):
    """A time at which one of a host's calendars has them busy; nothing else of it is kept."""

    __tablename__ = "busy_time"
    __table_args__ = (
        Index(None, "feed_id", "ends_at"),
        CheckConstraint("starts_at < ends_at", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("calendar_feed.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


def held_about(hosts: Select[int]) -> Iterator[tuple[type[Base], ColumnElement[bool]]]:
    """Yield where the rows of the hosts with these ids are, as (model, condition)."""
    yield Host, Host.id.in_(hosts)
    for model in (OpeningHours, DateOverride, TimeOff, CalendarFeed):
        yield model, model.host_id.in_(hosts)
    overrides = select(DateOverride.id).where(DateOverride.host_id.in_(hosts))
    yield OverrideWindow, OverrideWindow.override_id.in_(overrides)
    feeds = select(CalendarFeed.id).where(CalendarFeed.host_id.in_(hosts))
    yield BusyTime, BusyTime.feed_id.in_(feeds)
