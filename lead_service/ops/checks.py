"""`lead-service check`: find problems that need attention before a visitor notices them."""

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import clock
from ..action_framework.loading import load
from ..action_framework.yaml_source import DataError
from ..assess import diagnosis, models
from ..assess.brief import faults as brief_faults
from ..book import held
from ..book.hosts import setup
from ..call_types import load_call_types
from ..db import demo_data, schema
from ..db.engine import Database
from ..emails import status
from ..emails.transports.sendgrid import SendGrid
from ..emails.transports.smtp import Smtp
from ..hostnames import is_placeholder
from ..leads.models import LeadEvent
from ..privacy import retention
from ..publishing import site
from ..settings import Settings, SettingsError
from . import alarms, backup

CLOCK_ERROR = timedelta(minutes=2)  # leases and links tolerate more
CLOCK_TRUSTED = timedelta(hours=1)
CALLS = Path("docs/calls.yml")
SOURCE = Path("docs/framework.yml")  # relative to the working directory, like VAR_DIR and SITE_DIR
LEAST_SPACE = 200 * 2**20  # bytes
KEY_SECONDS = 10
SAMPLE = 1000  # random sets of answers


def faults(settings: Settings) -> list[str]:
    """Return one line per fault. Changes nothing."""
    found = [*_placeholders(settings), *_in_the_source(), *_links_in_the_site(settings)]
    published = None
    try:
        published = site.load_site(settings)
    except SettingsError as error:
        found += [fault for fault in error.faults if f"docs/{fault}" not in found]
    return [
        *found,
        *(
            one
            for one in (brief_faults(published.framework) if published else [])
            if one not in found
        ),
        *_in_the_database(settings, published),
        *_with_the_provider(settings),
        *_in_the_sandbox(settings),
        *backup.faults(settings, clock.now()),
    ]


def _in_the_sandbox(settings: Settings) -> Iterator[str]:
    if settings.sendgrid_sandbox and not settings.is_local:
        yield "SENDGRID_SANDBOX: no email is delivered while it is on"


def _placeholders(settings: Settings) -> Iterator[str]:
    """Yield production settings that still contain a placeholder."""
    if settings.is_local:
        return
    if is_placeholder(urlsplit(settings.public_url).hostname or ""):
        yield f"PUBLIC_URL: {settings.public_url} is a placeholder"
    senders = [("MAIL_FROM", settings.mail_from), ("PRACTICE_EMAIL", settings.practice_email)]
    for name, address in [*senders, *(("SALES_TO", one) for one in settings.sales_to)]:
        if is_placeholder(address.rpartition("@")[2]):
            yield f"{name}: {address} is a placeholder"
    for name in sorted(settings.model_fields_set):
        value = getattr(settings, name)
        if "\u2026" in str(value.get_secret_value() if isinstance(value, SecretStr) else value):
            yield f"{name.upper()}: contains a placeholder (\u2026)"


def _in_the_source() -> list[str]:
    """Check docs/framework.yml, if this is a checkout: the built site may be older."""
    try:
        framework = load(SOURCE.read_bytes())
    except FileNotFoundError:
        return []
    except DataError as fault:
        return fault.lines(SOURCE)
    try:
        load_call_types(CALLS.read_bytes(), {one.slug for one in framework.engagements})
    except FileNotFoundError:
        return [f"{CALLS}: is missing"]
    except DataError as fault:
        return fault.lines(CALLS)
    return brief_faults(framework)


def notes(settings: Settings) -> list[str]:
    """Return notes for the operator that aren't faults."""
    found = [*_for_the_owner(settings), *shares()]
    if settings.is_local or alarms.can_tell_of_email(settings):
        return found
    silent = "no alarm reaches a person when email fails: set ALARM_WEBHOOK, or SMTP_URL as well"
    return [silent, *found]


def _for_the_owner(settings: Settings) -> Iterator[str]:
    """Yield the facts that the practice's owner still has to confirm or add."""
    try:
        published = site.load_site(settings)
    except SettingsError:
        return
    for fact in published.unconfirmed:
        yield f"docs/{fact}: not confirmed yet; if it is right, remove it from `confirm`"
    if settings.is_local:
        return
    if not settings.practice_reply_time:
        yield "PRACTICE_REPLY_TIME: the contact page does not say when you answer a message"
    if not published.people:
        yield "docs/people: the About page names no one"
    for article in published.articles:
        if not article.author:
            yield f"docs/insights/{article.slug}.md: the article has no author"


def shares() -> Iterator[str]:
    """Estimate how many of all sets of answers lead where, if this is a checkout."""
    try:
        framework = load(SOURCE.read_bytes())
    except (FileNotFoundError, DataError):
        return
    for which, least in (("all sets of answers", 0), ("with every step at 67 or more", 67)):
        begin: Counter[str] = Counter()
        recommend: Counter[str] = Counter()
        for one in diagnosis.sample(framework, SAMPLE, at_least=least):
            begin[one.begin_with.slug if one.begin_with else "no step"] += 1
            engagement = one.outcome.engagement
            recommend[engagement.slug if engagement else one.outcome.kind] += 1
        yield f"{which}, about: begin with {_shares(begin)}; recommend {_shares(recommend)}"


def _shares(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {100 * times / SAMPLE:.0f}%" for name, times in counted.most_common())


def _links_in_the_site(settings: Settings) -> list[str]:
    """Find symbolic links in the site: nginx doesn't serve them, and a build makes none."""
    linked = sorted(path for path in settings.site_dir.rglob("*") if path.is_symlink())
    return [f"SITE_DIR: {path} is a symbolic link; remove it" for path in linked]


def _in_the_database(settings: Settings, published: site.Published | None) -> list[str]:
    try:
        schema.require(settings)
        with schema.opened(settings) as database, database.read() as session:
            found = list(status.health(session, clock.now()).troubles)
            if published:
                found += [
                    f"framework.yml: {line}"
                    for line in models.stored_version_faults(session, published.framework)
                ]
            found += setup.problems(
                session, settings, published.calls if published else None, clock.now()
            )
            found += held.problems(session, clock.now())
            if published and (
                flood := held.too_large_a_share(session, published.calls, clock.now())
            ):
                found.append(f"{flood} Check \u201cBursts of possible spam\u201d on the desk.")
            if waiting := retention.waiting_for_a_person(session, settings, clock.now()):
                found.append(
                    f"retention: would erase {waiting} leads at once, and waits; see `lead-service "
                    "retention --dry-run`, and run it with --yes if that is right"
                )
            if demo_data.is_there(session) and not settings.is_local:
                found.append("database: contains made-up data; run `lead-service demo --remove`")
            return [*found, *_clock_of(database, session), *_space_of(database)]
    except SettingsError as error:
        return error.faults


def _clock_of(database: Database, session: Session) -> list[str]:
    """Compare this machine's clock with the database server's, and with the newest row."""
    now = clock.now()
    there = now if database.is_sqlite else session.scalar(select(func.clock_timestamp()))
    newest = session.scalar(select(func.max(LeadEvent.at)))
    found = _differs(now, there, "the database's")
    if newest and newest > now + CLOCK_ERROR:
        found.append(f"clock: the newest lead is from {newest:%Y-%m-%d %H:%M} UTC, in the future")
    return found


def clock_fault(settings: Settings, database: Database) -> str | None:
    """Say by how much this machine's clock differs from the database's or the provider's, or None.

    `deliver` waits while the clock is wrong by more than `CLOCK_TRUSTED`. A clock that can't be
    asked is ignored.
    """
    now, there, whose = clock.now(), None, "the provider's"
    if settings.sendgrid_api_key:
        _said, there = SendGrid(settings, KEY_SECONDS).check()
    if not database.is_sqlite and (there is None or abs(now - there) <= CLOCK_TRUSTED):
        whose = "the database's"
        with database.read() as session:
            there = session.scalar(select(func.clock_timestamp()))
    if there is None or abs(now - there) <= CLOCK_TRUSTED:
        return None
    return _differs(now, there, whose)[0]


def _differs(now: datetime, there: datetime | None, whose: str) -> list[str]:
    if there is None or abs(now - there) <= CLOCK_ERROR:
        return []
    return [f"clock: {now:%Y-%m-%d %H:%M} UTC here, {there:%Y-%m-%d %H:%M} by {whose} clock"]


def _space_of(database: Database) -> list[str]:
    if database.file is None:
        return []
    left = shutil.disk_usage(database.file.parent).free
    return [f"disk: {left // 2**20} MB left for the database"] if left < LEAST_SPACE else []


def _with_the_provider(settings: Settings) -> list[str]:
    found = []
    if settings.sendgrid_api_key:
        said, there = SendGrid(settings, KEY_SECONDS).check()
        found += ([said] if said else []) + _differs(clock.now(), there, "the provider's")
    if settings.smtp_url and (said := Smtp(settings).check()):
        found.append(said)
    return found
