"""The page of open times: a month at a glance, and the times of one of its days.

It serves who books a call and who moves one; only the addresses differ.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import render_template, request, url_for

from .. import clock
from ..context import context
from . import asked, days, zone_names
from .forms import start_text
from .known import hosts as hosts_known
from .models import Booking, Host


@dataclass(frozen=True)
class Page:
    """What the page of times needs to know, whoever it is for."""

    hosts: Sequence[Host]  # whose times these are
    choices: Sequence[Host]  # who can be asked for, when there are several
    starts: list[datetime]  # UTC
    zone: str
    link: Callable[..., str]  # to this page, with what is given as its query
    form_of: Callable[[datetime], str]  # to what follows the choice of a start
    carried: dict[str, str] = field(default_factory=dict)
    has_assessment: bool = False
    moving: Booking | None = None
    token: str = ""  # of the booking that is moved

    def render(self, *, gone: bool = False) -> str:
        """Lay out the month that the address asks for; `gone` tells of a start that is not open."""
        now, wanted = clock.now(), request.args.get("find", "")
        return render_template(
            "book/times.html",
            page=self,
            month=days.month(self.starts, self.zone, asked.month(), asked.day()),
            is_chosen="zone" in request.values or self.moving is not None,
            day=asked.day(),
            find=wanted,
            places=zone_names.search(wanted, now),
            now=now,
            gone=gone,
        )


def for_booking() -> Page:
    """Gather the open times for somebody who books."""
    with context().database.read() as session:
        known = hosts_known(session)
        choices, hosts = known.hosts, asked.those(known.hosts)
        carried = asked.carried(choices)
        path, along = url_for("book.times"), asked.query(carried)
        return Page(
            hosts=hosts,
            choices=choices if len(choices) > 1 else (),
            starts=known.open_starts(session, hosts, clock.now()),
            zone=asked.zone(hosts),
            link=lambda **query: path + asked.query(carried | query),
            form_of=lambda start: f"{path}{start_text(start)}/{along}",
            carried=carried,
            has_assessment=asked.assessment(session) is not None,
        )
