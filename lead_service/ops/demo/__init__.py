"""Fill the database with made-up data, so that anyone who tries the product sees it at work.

The product's own functions make people, calls and emails, at times relative to the
present. Their addresses are at reserved domains, and no email leaves for one of
them. One row says which records these are (`demo_data`), so that they can be removed again.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import yaml
from sqlalchemy import ColumnElement, Select, and_, delete, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from ...accounts.audit_log import Actor, AuditEntry, AuditKind
from ...accounts.members import Member
from ...assess.models import Assessment, FrameworkVersion
from ...book.calendars import notices, parse
from ...book.hosts import setup
from ...book.hosts.models import (
    CalendarFeed,
    DateOverride,
    Host,
    OverrideWindow,
    TimeOff,
    offered_calls,
)
from ...book.models import Booking
from ...db import schema
from ...db.base import insert_unless
from ...db.demo_data import DemoData, find
from ...desk.auth import links
from ...desk.team import membership
from ...emails import admin_actions
from ...emails.models import RINGS, OutboxMessage
from ...leads.models import Lead, Note
from ...privacy.export import Holding, rows_of
from ...publishing import site as publishing_site
from ...settings import Settings
from ...web.context import Context
from ...web.rate_limits import RateLimits
from ...web.tokens import token_hash
from . import acts
from .acts import Demo, Step, Story, send_emails, tell

_FILE = yaml.safe_load(Path(__file__).with_name("stories.yml").read_text("utf-8"))


@dataclass(frozen=True)
class Colleague:
    """A member of the desk, who is also a host if a zone is given."""

    key: str
    name: str
    email: str
    zone: str = ""
    hours: tuple[str, ...] = ()  # of each weekday, Monday first
    country: str = ""
    region: str = ""
    meeting_link: str = ""
    since: int = 60  # days ago


def _step(after: float | str, act: str, given: dict) -> Step:
    hours = None if after == "over" else float(after)
    return Step(hours, getattr(acts, act), given)


TEAM: str = _FILE["team"]
COLLEAGUES: tuple[Colleague, ...] = tuple(Colleague(**one) for one in _FILE["colleagues"])
STORIES: tuple[Story, ...] = tuple(
    Story(**one | {"steps": tuple(_step(*step) for step in one["steps"])})
    for one in _FILE["stories"]
)


class NoDemo(Exception):
    """The database must not get made-up data; the message says why."""


def set_up(settings: Settings, now: datetime) -> datetime | None:
    """Migrate the configured database, add its first host, and fill it; returns as `fill`.

    Raises NoDemo in production, and as `fill` does.
    """
    if not settings.is_local:
        raise NoDemo("made-up data is for this machine only, and PUBLIC_URL names another")
    site = publishing_site.load_site(settings)
    with schema.opened(settings) as database:
        schema.migrate(database)
        database.write(lambda session: setup.create_first_host(session, settings))
        limits = RateLimits(settings.limits_storage)
        return fill(Context(settings, database, site, limits, offered_calls), now)


def fill(context: Context, now: datetime) -> datetime | None:
    """Add the made-up data; if it exists already, return when it was made.

    Raises NoDemo when a made-up address belongs to a real lead.
    """
    return context.database.write(lambda session: _fill(session, context, now))


def _fill(session: Session, context: Context, now: datetime) -> datetime | None:
    people = [one.email for one in COLLEAGUES] + [one.email for one in STORIES if one.email]
    steps = [one for story in STORIES for one in story.steps]
    corrected = [one.given["email"] for one in steps if "email" in one.given]
    addresses = sorted({TEAM, *people, *corrected})
    _refuse_namesakes(session, context.settings, addresses)
    first = {"id": 1, "made_at": now, "addresses": addresses, "records": {}}
    if not insert_unless(session, DemoData, "id", **first):  # waits for another run of this command
        return session.get_one(DemoData, 1).made_at
    settings = context.settings.model_copy(update={"sales_to": (TEAM,)})
    known_versions = set(session.scalars(select(FrameworkVersion.version)))
    demo = Demo(session, replace(context, settings=settings), now, addresses, {}, {})
    _let_in(demo)
    for story in sorted(STORIES, key=lambda one: -one.began):
        tell(demo, story)
    _see_to_failures(demo)
    session.get_one(DemoData, 1).records = _records(demo, known_versions)
    return None


def _refuse_namesakes(session: Session, settings: Settings, addresses: list[str]) -> None:
    """Raise NoDemo when an address is in use: real records would count as made up."""
    if find(session):
        return
    taken = {address.lower() for address in settings.sales_to} & set(addresses)
    for column in (Lead.address, Member.email, Host.email):
        taken |= set(session.scalars(select(column).where(column.in_(addresses))))
    if taken:
        raise NoDemo(f"{min(taken)} is in use here, and the made-up data needs it")


def _let_in(demo: Demo) -> None:
    """Add the colleagues: members, most of them hosts."""
    session, settings = demo.session, demo.context.settings
    for one in COLLEAGUES:
        by = Actor(demo.now - timedelta(days=one.since))
        member = membership.invite(session, settings, one.email, name=one.name, by=by)
        demo.members[one.key] = member
        if one.zone:
            named = ("name", "email", "zone", "country", "region", "meeting_link")
            host = demo.hosts[one.key] = Host(**{name: getattr(one, name) for name in named})
            host.hours = setup.weekly_hours(one.hours)
            session.add(host)
            session.flush()
    off = demo.now.date() + timedelta(days=20)
    jonas = demo.hosts["jonas"]
    jonas.time_off = [TimeOff(first_day=off, last_day=off + timedelta(days=4), note="Family visit")]
    short_day = OverrideWindow(opens=10 * 60, closes=14 * 60)
    jonas.overrides = [DateOverride(day=off - timedelta(days=1), windows=[short_day])]
    session.flush()
    send_emails(demo, demo.now)
    shared = CalendarFeed(id=0, label="Family", widened=parse.NO_END)  # not stored
    notices.widened(session, jonas, shared, demo.now - timedelta(days=4))
    at = demo.now - timedelta(days=3)
    links.mail_link(session, settings, COLLEAGUES[-1].email, at, browser="another")
    send_emails(demo, demo.now)


def _see_to_failures(demo: Demo) -> None:
    """Mark older failed emails as seen, so that only the latest one raises an alarm."""
    known = OutboxMessage.alarm_at < demo.now - timedelta(days=4)
    theirs = OutboxMessage.address.in_(demo.addresses)
    for email in demo.session.scalars(select(OutboxMessage).where(RINGS, known, theirs)).all():
        at = (email.alarm_at or demo.now) + timedelta(hours=2)
        admin_actions.acknowledge(demo.session, [email.id])
        Actor(at, demo.members["sam"]).note(demo.session, AuditKind.MAIL_SEEN, f"email {email.id}")


def _records(demo: Demo, known_versions: set[str]) -> dict[str, list]:
    """List the keys of made-up records; rows that belong to a lead or host are found through it."""

    def keys(column: InstrumentedAttribute, by: InstrumentedAttribute, values: list) -> list:
        return list(demo.session.scalars(select(column).where(by.in_(values))))

    tokens = [token_hash(token) for token in demo.tokens]
    versions = set(keys(Assessment.framework_version, Assessment.token_hash, tokens))
    return {
        "lead": keys(Lead.id, Lead.address, demo.addresses),
        "assessment": keys(Assessment.id, Assessment.token_hash, tokens),
        "member": [member.id for member in demo.members.values()],
        "host": [host.id for host in demo.hosts.values()],
        "framework_version": sorted(versions - known_versions),
    }


def remove(session: Session, now: datetime) -> dict[str, int]:
    """Remove the made-up data and all changes to it since; return counts by table.

    A made-up host or member stays, deactivated, while a real record refers to them.
    """
    demo = session.get(DemoData, 1, with_for_update=True)
    if demo is None:
        return {}
    counts = {held.name: held.erase(session) for held in _of_visitors(session, demo)}
    _remove_colleagues(session, demo, now)
    unused = FrameworkVersion.version.not_in(select(Assessment.framework_version))
    made = demo.holds(FrameworkVersion.version, FrameworkVersion.first_used_at)
    session.execute(delete(FrameworkVersion).where(made, unused))
    session.delete(demo)
    return counts


def _of_visitors(session: Session, demo: DemoData) -> list[Holding]:
    """Return the visitors' records in an order in which they can be deleted.

    The database deletes rows that belong to a lead or an email by cascade.
    """
    leads = select(Lead.id).where(demo.holds(Lead.id, Lead.created_at))
    calls = select(Booking.id).where(Booking.lead_id.in_(leads))
    loose = and_(OutboxMessage.lead_id.is_(None), OutboxMessage.address.in_(demo.addresses))
    emails = or_(OutboxMessage.lead_id.in_(leads), loose)
    of_calls = select(Booking.assessment_id).where(Booking.id.in_(calls))
    made = demo.holds(Assessment.id, Assessment.started_at)
    return [
        rows_of(AuditEntry, _about(session, lead=leads, call=calls)),
        rows_of(AuditEntry, _about(session, email=select(OutboxMessage.id).where(emails))),
        rows_of(OutboxMessage, emails),
        rows_of(Assessment, or_(made, Assessment.lead_id.in_(leads), Assessment.id.in_(of_calls))),
        rows_of(Booking, Booking.lead_id.in_(leads)),
        rows_of(Lead, Lead.id.in_(leads)),
    ]


def _about(session: Session, **keys: Select) -> ColumnElement[bool]:
    """Select the lines of the audit log about these records."""
    subjects = [f"{name} {key}" for name, query in keys.items() for key in session.scalars(query)]
    return AuditEntry.subject.in_(subjects)


def _remove_colleagues(session: Session, demo: DemoData, now: datetime) -> None:
    members = select(Member.id).where(demo.holds(Member.id, Member.created_at))
    hosts = select(Host.id).where(Host.id.in_(demo.records["host"]))  # never deleted otherwise
    session.execute(delete(AuditEntry).where(_about(session, member=members, host=hosts)))
    owned = update(Lead).where(Lead.owner_id.in_(members))
    session.execute(owned.values(owner_id=None, version=Lead.version + 1))
    in_use = [
        *session.scalars(select(Note.member_id).where(Note.member_id.in_(members))),
        *session.scalars(select(AuditEntry.member_id).where(AuditEntry.member_id.in_(members))),
    ]
    removed = and_(Member.id.in_(in_use), Member.removed_at.is_(None))
    session.execute(update(Member).where(removed).values(removed_at=now))
    session.execute(delete(Member).where(Member.id.in_(members), Member.id.not_in(in_use)))
    booked = select(Booking.host_id)
    away = update(Host).where(Host.id.in_(hosts), Host.id.in_(booked))
    session.execute(away.values(is_active=False, version=Host.version + 1))
    session.execute(delete(Host).where(Host.id.in_(hosts), Host.id.not_in(booked)))
