"""Views of the leads: parse the filters in the list's address, and build the query.

A view is shared as an address and exported as a file, so both are made here. The conditions of the
quick views repeat those of the partial indexes in `leads`, with literals: a database uses a partial
index only if it sees the same condition.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from flask import abort
from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from ...book.models import Booking, Status
from ...db.base import row_id, values
from ...emails.models import EmailState, Hold, OutboxMessage
from ...formats import tel_number
from ...leads import touch
from ...leads.models import CLOSED, EventKind, Lead, LeadEvent, Stage
from ...web.fields import clean
from ..pagination import Order

LONGEST_SEARCH = 100
PHONE = re.compile(r"(?:[ ()+./-]*\d){6,}[ ()./-]*")
OWN_DIGITS = 9  # last digits of a phone number, which are the same for all callers
COUNTED = 1000  # counts stop here
QUICK = {
    "calls": "Upcoming calls",
    "unowned": "No owner",
    "due": "Due",
    "bounced": "Bounced",
    "suspected": "Possible spam",
}
SORTS = {
    "activity": "Activity",
    "newest": "Newest",
    "name": "Name",
    "next": "Next action",
}

typed_source = LeadEvent.detail["source"].as_string()  # typed by the member who added the lead


@dataclass(frozen=True)
class LeadFilter:
    """Filters of the inbox; empty ones select every lead."""

    quick: str = ""  # a name of QUICK
    stage: str = ""
    owner: str = ""  # an id, or "none"
    source: str = ""  # of the first or last touch, or typed by a member
    asked: str = ""
    sort: str = ""  # a name of SORTS; quick views of calls and days have their own order

    @classmethod
    def read(cls, args: Mapping[str, str]) -> "LeadFilter":
        """Parse a view from an address; 404 for an invalid one."""
        source = clean(args.get("source"))[:LONGEST_SEARCH]
        view = cls(
            quick=args.get("view", ""),
            stage=args.get("stage", ""),
            owner=args.get("owner", ""),
            source=touch.written_by_hand(source) or source,  # no lead has this source
            asked=" ".join(clean(args.get("q")).split())[:LONGEST_SEARCH],
            sort=args.get("sort", ""),
        )
        if view.owner not in ("", "none") and not row_id(view.owner):
            abort(404)
        for value, known in ((view.quick, QUICK), (view.stage, values(Stage)), (view.sort, SORTS)):
            if value and value not in known:
                abort(404)
        return view

    @property
    def address(self) -> dict[str, Any]:
        """Return the query string of the view."""
        said = {"view": self.quick, "stage": self.stage, "owner": self.owner}
        said |= {"source": self.source, "q": self.asked}
        return {name: value for name, value in (said | {"sort": self.sort}).items() if value}

    def query(self, session: Session, now: datetime, today: date) -> tuple[Select, Order]:
        """Return the query of the leads in this view, sorted."""
        query, order = self._quick(session, now, today)
        if self.stage:
            query = query.where(Lead.stage == self.stage)
        if self.owner == "none":
            query = query.where(Lead.owner_id.is_(None))
        elif self.owner:
            query = query.where(Lead.owner_id == int(self.owner))
        if self.source:
            ends = (Lead.first_touch, Lead.last_touch)
            named = [end[name].as_string() for end in ends for name in touch.PARAMETERS]
            known = [one.contains(self.source, autoescape=True) for one in named]
            typed = typed_source.contains(self.source, autoescape=True)
            query = query.where(or_(*known, _is_known_from(typed)))
        query = query.where(*self.matches())
        # With an index for the order, SQLite would fetch 50,000 leads one by one to find none: ten
        # times as long as reading the table. No index has this expression.
        return query, replace(order, by=func.coalesce(order.by, order.by)) if self.asked else order

    def matches(self) -> list[ColumnElement[bool]]:
        """Select the leads that contain every word of the search, or have that phone number."""
        words = self.asked.casefold().split()
        named = [
            or_(
                Lead.sought.contains(word, autoescape=True),
                _is_known_from(typed_source.contains(word, autoescape=True)),
                *_is_known_as(word),
            )
            for word in words
        ]
        if PHONE.fullmatch(self.asked):
            return [or_(and_(*named), Lead.sought.contains(tel_number(self.asked)[-OWN_DIGITS:]))]
        return named

    def _quick(self, session: Session, now: datetime, today: date) -> tuple[Select, Order]:
        query, order = select(Lead), ORDERS[self.sort or "activity"]
        if self.quick == "calls":
            query = query.join(Booking, Booking.lead_id == Lead.id)
            return query.where(*next_calls(session, now)), ORDERS["calls"]
        if self.quick == "due":
            return query.where(*is_due(today)), ORDERS["next"]
        if self.quick:
            query = query.where(CONDITIONS[self.quick])
        if self.sort == "next":
            query = query.where(Lead.next_action_on.is_not(None))
        return query, order


def _is_known_from(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Select the leads whose source a member typed."""
    talks = select(LeadEvent.lead_id).where(LeadEvent.kind == EventKind.TALKED, condition)
    return Lead.id.in_(talks)


def _is_known_as(word: str) -> Iterator[ColumnElement[bool]]:
    """Select the leads whose calls or combined leads have other details with that word.

    They are not copied to `Lead.sought`, so that they stay right when they are corrected.
    """
    typed = (Booking.name, Booking.company, Booking.email)
    named = or_(*(column.icontains(word, autoescape=True) for column in typed))
    yield Lead.id.in_(select(Booking.lead_id).where(named))
    told = LeadEvent.detail["note"].as_string().icontains(word, autoescape=True)
    combined = select(LeadEvent.lead_id).where(LeadEvent.kind == EventKind.COMBINED, told)
    yield Lead.id.in_(combined)


def is_due(today: date) -> tuple[ColumnElement[bool], ...]:
    """Select leads whose next action is due by the end of `today`."""
    return Lead.next_action_on <= today, Lead.stage.not_in(CLOSED)


def next_calls(session: Session, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Select each lead's next call; a call counts until it has ended.

    Without GROUP BY, for which SQLite would read every booking, lead by lead.
    """
    other = aliased(Booking)
    is_earlier = or_(
        other.starts_at < Booking.starts_at,
        and_(other.starts_at == Booking.starts_at, other.id < Booking.id),
    )
    earlier = exists().where(
        other.lead_id == Booking.lead_id, *coming(session, now, other), is_earlier
    )
    return *coming(session, now), ~earlier


def coming(session: Session, now: datetime, booking: Any = Booking) -> tuple[Any, ...]:
    """Select calls that haven't ended: those since yesterday, except by id those that have.

    Neither database can add to an instant as the other does.
    """
    since = now - timedelta(days=1)
    is_confirmed, begun = Booking.status == Status.CONFIRMED, Booking.starts_at.between(since, now)
    lengths = select(Booking.id, Booking.starts_at, Booking.duration).where(is_confirmed, begun)
    ended = [
        call.id
        for call in session.execute(lengths)
        if call.starts_at + timedelta(minutes=call.duration) <= now
    ]
    return booking.status == Status.CONFIRMED, booking.starts_at > since, booking.id.not_in(ended)


def counts(session: Session, now: datetime, today: date) -> dict[str, int]:
    """Count the leads of each quick view, up to COUNTED, in one query."""
    some = {
        "calls": select(Booking.id).where(*next_calls(session, now)),
        "due": select(Lead.id).where(*is_due(today)),
        **{name: select(Lead.id).where(condition) for name, condition in CONDITIONS.items()},
    }
    numbers = [
        select(func.count()).select_from(some[name].limit(COUNTED).subquery()).scalar_subquery()
        for name in QUICK
    ]
    return dict(zip(QUICK, session.execute(select(*numbers)).one(), strict=True))


def _literal(name: str, values: tuple[str, ...]) -> ColumnElement:
    return bindparam(name, values, expanding=True, literal_execute=True)


ORDERS = {
    "activity": Order(Lead.touched_at, Lead.id),
    "newest": Order(Lead.created_at, Lead.id),
    "name": Order(Lead.sort_name, Lead.id, is_descending=False),
    "next": Order(Lead.next_action_on, Lead.id, is_descending=False),
    "calls": Order(Booking.starts_at, Lead.id, is_descending=False),
}
SUSPECTED_CALLS = select(Booking.lead_id).where(Booking.quarantine)
HELD_MAILS = select(OutboxMessage.lead_id).where(
    OutboxMessage.state == EmailState.HELD, OutboxMessage.hold == Hold.SUSPECTED
)
CONDITIONS: dict[str, ColumnElement[bool]] = {
    "unowned": Lead.owner_id.is_(None) & Lead.stage.not_in(_literal("closed", values(CLOSED))),
    "bounced": Lead.bounced_at.is_not(None),
    "suspected": Lead.id.in_(
        select(Lead.id).where(Lead.quarantine).union(SUSPECTED_CALLS, HELD_MAILS)
    )
    & Lead.stage.not_in(_literal("lost", values((Stage.LOST,)))),
}
