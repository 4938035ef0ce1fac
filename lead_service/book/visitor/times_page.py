"""The page of open times: a month, and the times of one of its days.

It is the same for booking and moving a call, except for its addresses.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from flask import render_template, request

from ... import clock
from ...call_types import CallType
from ...web.context import context
from ..availability import month
from ..availability.host_cache import snapshot
from ..forms import start_text
from ..hosts.models import Host, who_take
from ..models import Booking
from ..terms import terms_of
from . import query_params, timezones
from .query_params import Habits


@dataclass(frozen=True)
class TimesPage:
    """The view model of the page of times, for any visitor.

    Two are equal if they look the same: a changed host is another object.
    """

    kind: CallType
    hosts: tuple[Host, ...]  # whose times these are
    choices: tuple[Host, ...]  # hosts to choose from, if there are several
    others: tuple[CallType, ...]  # other kinds of call with open times
    starts: tuple[datetime, ...]  # UTC, sorted
    zone: str
    path: str  # of this page; the form's address is below it
    params: tuple[tuple[str, str], ...] = ()  # parameters to keep
    brought: query_params.Brought | None = None
    moving: Booking | None = None
    token: str = ""  # of the booking to move

    @property
    def ways(self) -> frozenset[str]:
        """How the hosts meet visitors."""
        return terms_of(self.hosts, self.kind).ways

    @property
    def is_request(self) -> bool:
        """Whether the team has to confirm the call first."""
        return self.moving.awaits_confirmation if self.moving else self.kind.confirm_first

    @property
    def carried_params(self) -> dict[str, str]:
        return dict(self.params)

    def link(self, **query: object) -> str:
        """Return the address of this page with another query."""
        return self.path + query_params.query(self.carried_params | query)

    def link_to(self, path: str) -> str:
        """Return the address of another kind's times, without the chosen host."""
        return path + query_params.query(self.carried_params | {"host": None})

    def form_of(self, start: datetime) -> str:
        """Return the address of the form for a start."""
        return f"{self.path}{start_text(start)}/{query_params.query(self.carried_params)}"

    def render(self, *, gone: str = "") -> str:
        """Render the requested month; `gone` says why a start is not open."""
        now, find = clock.now(), request.args.get("find", "")
        chosen_month, day = query_params.month(), query_params.day()
        if self.moving and self.starts and not (chosen_month or day):
            (near,) = month.nearest(self.starts, self.moving.starts_at, self.zone, 1)
            day = month.date_in(self.zone, near)
        look = (
            self,
            chosen_month,
            day,
            now.replace(second=0, microsecond=0),
            "zone" in request.values or self.moving is not None,
            not set(request.args) - {"zone"},
            query_params.habits(),
        )
        if gone or find or self.moving or self.brought or not self.hosts:
            return _lay_out(*look, gone, find, timezones.search(find, now))
        return _laid_out(*look)


def _lay_out(
    page: TimesPage,
    chosen_month: date | None,
    day: date | None,
    now: datetime,
    is_chosen: bool,
    is_plain: bool,
    habits: Habits,
    gone: str = "",
    find: str = "",
    places: Sequence[timezones.Place] = (),
) -> str:
    return render_template(
        "book/times.html",
        page=page,
        month=month.month(page.starts, page.zone, chosen_month, day, habits.first_weekday),
        day=day,
        now=now,
        is_chosen=is_chosen,
        is_plain=is_plain,
        gone=gone,
        find=find,
        places=places,
        canonical=page.path,
    )


# All visitors who open a month within a minute get the same page, unless something has changed.
_laid_out = lru_cache(maxsize=128)(_lay_out)


def for_booking() -> TimesPage:
    """Return the view model of the open times for a new booking."""
    with context().database.read() as session:
        known = snapshot(session)
        kind, choices = query_params.kind(), query_params.choices(known.hosts)
        hosts, calls = query_params.shown_hosts(choices), context().published.calls
        return TimesPage(
            kind=kind,
            hosts=tuple(hosts),
            choices=tuple(choices) if len(choices) > 1 else (),
            others=tuple(
                one
                for one in calls.all
                if one != kind
                and known.open_starts(session, who_take(known.hosts, one, calls), one, clock.now())
            ),
            starts=tuple(known.open_starts(session, hosts, kind, clock.now())),
            zone=query_params.zone(hosts),
            path=calls.address(kind),
            params=tuple(query_params.carried_params(choices).items()),
            brought=query_params.brought(session),
        )
