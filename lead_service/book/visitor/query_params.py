"""Read from a request the zone, host, answers, month and day, and the clock and week.

A visitor can make up any of it: an unknown value counts as a missing one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from flask import Response, abort, after_this_request, g, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from ... import clock
from ...assess import models as assessments
from ...assess import ownership
from ...call_types import CallType
from ...formats import clock_time
from ...web import carried
from ...web.context import context
from ..availability.month import SUNDAY
from ..forms import Person
from ..hosts.models import Host, who_take
from ..models import Booking
from . import timezones

LONGEST = 200  # characters of Accept-Language that are read


@dataclass(frozen=True)
class Habits:
    """The clock and the first weekday (0 is Monday) that people in a region use."""

    is_24_hours: bool = False
    first_weekday: int = SUNDAY


AMERICAN = Habits()


def chosen_zone() -> str:
    """Return the zone that the visitor chose, by its present name; empty when there is none."""
    name = request.values.get("zone", "").replace(" ", "+")  # Etc/GMT+5, typed into an address
    return timezones.current(name) if timezones.is_zone(name) else ""


def zone(hosts: Sequence[Host]) -> str:
    """Return the zone that the visitor chose, or else the first host's."""
    return chosen_zone() or (hosts[0].zone if hosts else "UTC")


def habits() -> Habits:
    """Return the visitor's habits, as their browser states them; the answer varies with it."""
    if "varies" not in g:
        g.varies = True
        after_this_request(_vary)
    return habits_of(request.headers.get("Accept-Language", ""))


def habits_of(accept_language: str) -> Habits:
    """Return the habits of the language that Accept-Language prefers (RFC 9110), or American ones.

    Unicode's CLDR, which Babel carries, knows them for each region. Dates stay in American English,
    as the pages are.
    """
    wanted = parse_accept_header(accept_language[:LONGEST], LanguageAccept)
    for tag, weight in wanted:
        if weight and (found := _of_tag(tag)):
            return found
    return AMERICAN


def _of_tag(tag: str) -> Habits | None:
    try:
        locale = Locale.parse(tag, sep="-")
        if locale.territory is None:  # the region in which most people speak it
            likely = get_global("likely_subtags").get(locale.language, tag)
            locale = Locale.parse(likely, sep="_")
    except (ValueError, UnknownLocaleError):
        return None
    pattern = locale.time_formats["short"].pattern
    return Habits("H" in pattern, locale.first_week_day)


def _vary(response: Response) -> Response:
    response.vary.add("Accept-Language")
    return response


def visitor_time(instant: datetime, zone: str) -> str:
    """Write the time of an instant in a zone by the visitor's clock."""
    return clock_time(instant, zone, habits().is_24_hours)


def kind() -> CallType:
    """Return the kind of call that the address or the form names; 404 for one that is made up."""
    calls, parts = context().published.calls, request.view_args or {}
    if found := calls.find(parts.get("start", "")):
        return found
    if slug := parts.get("kind"):
        return calls.find(slug) or abort(404)
    return calls.find(request.form.get("kind", "")) or calls.default


def is_unknown_kind() -> bool:
    """Say whether a form was shown for a kind of call that has been removed since."""
    slug = request.form.get("kind", "")
    return bool(slug) and context().published.calls.find(slug) is None


def choices(hosts: Sequence[Host]) -> list[Host]:
    """Return the hosts who take calls of the kind that is asked for."""
    return who_take(hosts, kind(), context().published.calls)


def host(hosts: Sequence[Host]) -> Host | None:
    """Return the person who is asked for; None is anyone who is free."""
    wanted = request.values.get("host", "")
    return next((one for one in hosts if str(one.id) == wanted), None)


def is_unknown_host(hosts: Sequence[Host]) -> bool:
    """Say whether a person is asked for who takes no calls, or is made up."""
    return bool(request.values.get("host")) and host(hosts) is None


def shown_hosts(hosts: list[Host]) -> list[Host]:
    """Return the hosts whose times are shown: the one that is asked for, or all."""
    wanted = host(hosts)
    return [wanted] if wanted else hosts


@dataclass(frozen=True)
class Brought:
    """Answers that come along: with any address, or with that of the lead who has them."""

    answers: assessments.Referenced
    to_any_address: bool


def brought(session: Session) -> Brought | None:
    """Find the answers that come along, which then go along in every link of the page.

    Whoever opens the link may be another person, so what led to the answers does not.
    """
    given, secret = request.values.get("assessment", ""), context().settings.secret
    if (found := assessments.find_referenced(session, secret, given)) is None:
        return None
    owner = ownership.owner_of(session, found.assessment)
    to_any_address = ownership.goes_to_any_address(found, owner, clock.now())
    if owner is None and not to_any_address:
        return None
    carried.remember(assessments.reference(found.assessment, secret, found.made_at))
    return Brought(found, to_any_address)


def sent_answers(session: Session, form: Person) -> assessments.Referenced | None:
    """Return the answers that a visitor sends along with a form."""
    found = None if form.without_answers.data else brought(session)
    return found.answers if found else None


def remember(session: Session, booking: Booking) -> None:
    """Let the links of a booking's page take along what had led to it."""
    answers = session.get(assessments.Assessment, booking.assessment_id or 0)
    reference = assessments.reference(answers, context().settings.secret) if answers else ""
    carried.remember(reference, booking.came_from, booking.source)


def month() -> date | None:
    """Return the first day of the month that is asked for: `2026-11`."""
    try:
        return datetime.strptime(request.args.get("month", ""), "%Y-%m").date()
    except ValueError:
        return None


def day() -> date | None:
    """Return the day that is asked for: `2026-11-24`."""
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return None


def query(given: Mapping[str, object]) -> str:
    """Write what follows the path of an address, `?zone=…`; None is left out.

    A page of times holds dozens of addresses, and Flask takes ten times as long for each.
    """
    text = urlencode({name: it for name, it in given.items() if it is not None}, safe="/")
    return f"?{text}" if text else ""


def carried_params(hosts: Sequence[Host]) -> dict[str, str]:
    """Return what goes along from page to page of a booking, beside what `carried` adds to all."""
    wanted = host(hosts)
    found = {
        "zone": chosen_zone(),
        "host": str(wanted.id) if wanted else "",
    }
    return {name: text for name, text in found.items() if text}
