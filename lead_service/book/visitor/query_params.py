"""Read from a request the zone, host, answers, month and day, and the clock and week.

A visitor can make up any of it: an unknown value counts as a missing one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
OWNERS_PAGE = re.compile(r"/assessment/([\w-]{40,})/")


@dataclass(frozen=True)
class Habits:
    """The clock and the first weekday (0 is Monday) that people in a region use."""

    is_24_hours: bool = False
    first_weekday: int = SUNDAY


AMERICAN = Habits()


def chosen_zone() -> str:
    """Return the zone that the visitor chose, by its present name; empty if they chose none."""
    name = request.values.get("zone", "").replace(" ", "+")  # Etc/GMT+5, typed into an address
    return timezones.current(name) if timezones.is_zone(name) else ""


def zone(hosts: Sequence[Host]) -> str:
    """Return the zone that the visitor chose, or else the first host's."""
    return chosen_zone() or (hosts[0].zone if hosts else "UTC")


def habits() -> Habits:
    """Return the habits of the browser's language, and add it to the response's Vary header."""
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
        if locale.territory is None:  # take the language's main region
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
    """Return the kind of call that the address or the form names; 404 for an unknown one."""
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
    """Return the hosts who take calls of the requested kind."""
    return who_take(hosts, kind(), context().published.calls)


def host(hosts: Sequence[Host]) -> Host | None:
    """Return the requested host; None means anyone who is free."""
    wanted = request.values.get("host", "")
    return next((one for one in hosts if str(one.id) == wanted), None)


def is_unknown_host(hosts: Sequence[Host]) -> bool:
    """Say whether the requested host takes no calls or doesn't exist."""
    return bool(request.values.get("host")) and host(hosts) is None


def shown_hosts(hosts: list[Host]) -> list[Host]:
    """Return the hosts whose times are shown: the requested one, or all."""
    wanted = host(hosts)
    return [wanted] if wanted else hosts


@dataclass(frozen=True)
class Brought:
    """Attached answers, which may belong to any address or only to that of their lead."""

    answers: assessments.Referenced
    to_any_address: bool


def brought(session: Session) -> Brought | None:
    """Find the attached answers, and keep them in every link of the page.

    The reader of the link may be another person, so the answers' source isn't kept.
    """
    given, secret = request.values.get("assessment", ""), context().settings.secret
    if (found := assessments.find_referenced(session, secret, given)) is None:
        return None
    if _is_from_owners_page(session, found.assessment):
        found = replace(found, made_at=clock.now())
    owner = ownership.owner_of(session, found.assessment)
    to_any_address = ownership.goes_to_any_address(found, owner, clock.now())
    if owner is None and not to_any_address:
        return None
    carried.remember(assessments.reference(found.assessment, secret, found.made_at))
    return Brought(found, to_any_address)


def _is_from_owners_page(session: Session, answers: assessments.Assessment) -> bool:
    """Say whether the visitor followed a link on the private page of these answers.

    That page may have been open since before someone else used its forwarded link.
    """
    page = OWNERS_PAGE.search(request.referrer or "")
    return page is not None and assessments.find_assessment(session, page[1]) is answers


def sent_answers(session: Session, form: Person) -> assessments.Referenced | None:
    """Return the answers attached to a form, unless the visitor declined."""
    found = None if form.without_answers.data else brought(session)
    return found.answers if found else None


def remember(session: Session, booking: Booking) -> None:
    """Keep a booking's answers and source in the links of its page."""
    answers = session.get(assessments.Assessment, booking.assessment_id or 0)
    reference = assessments.reference(answers, context().settings.secret) if answers else ""
    carried.remember(reference, booking.came_from, booking.source)


def month() -> date | None:
    """Return the first day of the requested month: `2026-11`."""
    try:
        return datetime.strptime(request.args.get("month", ""), "%Y-%m").date()
    except ValueError:
        return None


def day() -> date | None:
    """Return the requested day: `2026-11-24`."""
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return None


def query(given: Mapping[str, object]) -> str:
    """Return a query string, `?zone=…`, without parameters that are None.

    A page of times holds dozens of addresses, and Flask takes ten times as long for each.
    """
    text = urlencode({name: it for name, it in given.items() if it is not None}, safe="/")
    return f"?{text}" if text else ""


def carried_params(hosts: Sequence[Host]) -> dict[str, str]:
    """Return the parameters that all pages of a booking keep, beside those of `carried`."""
    wanted = host(hosts)
    found = {
        "zone": chosen_zone(),
        "host": str(wanted.id) if wanted else "",
    }
    return {name: text for name, text in found.items() if text}
