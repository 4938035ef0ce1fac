"""The tables of hosts: hours, rules, special dates, time off, calendars and busy times."""

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
    """Restrict minutes to multiples of five, the length of a time cell."""
    rule = " AND ".join(f"{column} % 5 = 0" for column in columns)
    return CheckConstraint(rule, name="fives")


class Host(Base):
    """A person who takes calls: their place, contact details and rules."""

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
    country: Mapped[str] = mapped_column(String(2), default="")  # for holidays; empty: none
    region: Mapped[str] = mapped_column(String(20), default="")  # of the country (ISO 3166-2)
    meeting_link: Mapped[str] = mapped_column(String(500), default="")  # empty: we call you
    is_active: Mapped[bool] = mapped_column(default=True)
    # Minutes of a call, from before docs/calls.yml set them; `setup.problems` compares them.
    duration: Mapped[int] = mapped_column(default=HALF_HOUR)
    call_types: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))  # see `takes`
    interval: Mapped[int] = mapped_column(default=30)  # this and the next three in minutes
    buffer_before: Mapped[int] = mapped_column(default=0)
    buffer_after: Mapped[int] = mapped_column(default=0)
    notice: Mapped[int] = mapped_column(default=240)
    horizon_days: Mapped[int | None] = mapped_column(default=45)
    daily_limit: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)  # increases with each edit; see host_cache
    # Increases with each change of their calls; see host_cache.
    calls_version: Mapped[int] = mapped_column(default=1)
    feed_version: Mapped[int] = mapped_column(default=1)  # of the feed's link

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
        """Say whether a kind is chosen for the host; by default, only the default kind is."""
        return kind.slug in ([default.slug] if self.call_types is None else self.call_types)

    def meeting_link_for(self, uid: str, kind: CallType) -> str:
        """Return a call's meeting link; `{room}` in the host's link becomes a separate room."""
        if kind.meet == PHONE:
            return ""
        room = hashlib.sha256(f"room of {uid}".encode()).hexdigest()[:12]
        return self.meeting_link.replace("{room}", room)


def who_take(hosts: Iterable[Host], kind: CallType, calls: CallTypes) -> list[Host]:
    """Return the hosts who take calls of a kind."""
    return [host for host in hosts if host.takes(kind, calls.default)]


def offered_calls(session: Session, calls: CallTypes) -> CallTypes:
    """Return the kinds of call that any host takes, and the default one in any case."""
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
    """A date with its own hours instead of the weekly ones; without windows, a day off."""

    __tablename__ = "date_override"
    __table_args__ = (UniqueConstraint("host_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id", ondelete="CASCADE"))
    day: Mapped[date]  # in the host's zone

    windows: Mapped[list["OverrideWindow"]] = relationship(
        cascade="all, delete-orphan", order_by="OverrideWindow.opens"
    )


class OverrideWindow(Base):
    """One window of an overridden date, in minutes like weekly windows."""

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
    """Dates on which a host takes no calls, both ends included, whatever other hours say."""

    __tablename__ = "time_off"
    __table_args__ = (CheckConstraint("first_day <= last_day", name="order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id", ondelete="CASCADE"), index=True)
    first_day: Mapped[date]  # in the host's zone
    last_day: Mapped[date]
    note: Mapped[str] = mapped_column(String(200), default="")  # only the team sees it


class CalendarFeed(Base):
    """A private calendar of a host, read for the times at which they are busy.

    Anyone with `url` can read that calendar: it is shown and logged by its host name only.
    The last good reading stays until the next one, with the time until which it is valid.
    """

    __tablename__ = "calendar_feed"
    __table_args__ = (UniqueConstraint("host_id", "label"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id", ondelete="CASCADE"))
    url: Mapped[str] = mapped_column(String(2000))
    label: Mapped[str] = mapped_column(String(60))
    etag: Mapped[str] = mapped_column(String(500), default="")  # both from the server
    last_modified: Mapped[str] = mapped_column(String(100), default="")
    content_hash: Mapped[str] = mapped_column(String(64), default="")
    fetched_at: Mapped[datetime | None]  # the latest try
    wanted_at: Mapped[datetime | None]  # when a visitor opened the form of one of the host's starts
    size: Mapped[int] = mapped_column(default=0)  # bytes, of the latest reading
    succeeded_at: Mapped[datetime | None]  # when the last good reading was made or confirmed
    zone: Mapped[str] = mapped_column(String(64), default="")  # for floating times, at that reading
    rules: Mapped[int] = mapped_column(default=0)  # the RULES of `calendars.sync` at that reading
    known_until: Mapped[datetime | None]  # later events were not read
    fault: Mapped[str] = mapped_column(String(200), default="")  # of the latest try, for people
    retry_at: Mapped[datetime | None]  # earliest next try, from the server's Retry-After
    widened: Mapped[str] = mapped_column(Text, default="")  # why it blocks more
    told_at: Mapped[datetime | None]  # when people were told that its reading has expired

    host: Mapped[Host] = relationship(back_populates="feeds")


class BusyTime(Base):
    """A busy time from one of a host's calendars; nothing else of the event is stored."""

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
    """Yield the models with rows about these hosts, each with its condition."""
    yield Host, Host.id.in_(hosts)
    for model in (OpeningHours, DateOverride, TimeOff, CalendarFeed):
        yield model, model.host_id.in_(hosts)
    overrides = select(DateOverride.id).where(DateOverride.host_id.in_(hosts))
    yield OverrideWindow, OverrideWindow.override_id.in_(overrides)
    feeds = select(CalendarFeed.id).where(CalendarFeed.host_id.in_(hosts))
    yield BusyTime, BusyTime.feed_id.in_(feeds)
