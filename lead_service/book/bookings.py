"""Create, move, reassign and cancel bookings, and correct a mistyped email address.

The database decides races. Every change locks the hosts in the order of their ids, then the
booking, then the lead: always in that order, so that two changes at once wait and cannot deadlock.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from ..assess.models import Assessment, Referenced
from ..assess.ownership import is_confirmed, take_along
from ..call_types import CallType, CallTypes
from ..emails import outbox
from ..emails.models import OutboxMessage
from ..leads import capture, consent, models
from ..leads.contact_details import ContactDetails
from ..leads.touch import Touch
from ..settings import Settings
from ..web.tokens import derived_token, token_hash
from .answers import capture_with_answers
from .availability import host_rules, queries, time_cells
from .availability.queries import WantedStart
from .availability.refusals import BOOKED, HELD, Refusal, was_offered
from .hosts.models import Host, who_take
from .models import Booking, Status, coming
from .terms import Terms

MOST_HELD = 30  # held calls of all visitors; otherwise strangers could take every start
MOST_HELD_BY_ONE = 3  # held calls of one client
MOST_OF_CLIENT = 10  # confirmed calls per day: a domain's owner can confirm any number
MOST_CHANGES = 3  # of one booking's address: the form must not be a way to email strangers
SUBMITTED = select(Booking).where(Booking.submission_key == bindparam("key"))


class Refused(Exception):
    """No host can take the call at that time, each for a reason; nothing is stored."""

    def __init__(self, refusals: Sequence[Refusal] = ()) -> None:
        super().__init__()
        self.refusals = refusals


class NotOffered(Refused):
    """The start is past, off the grid or outside the hours."""


class Taken(Refused):
    """Another booking or a busy time has just taken the start."""


class HasCall(Taken):
    """The person has another call then, with `host` at `start` (UTC)."""

    def __init__(self, host: str, start: datetime) -> None:
        super().__init__()
        self.host, self.start = host, start


class TermsChanged(Exception):
    """No free host offers the terms on the form: length, way to meet or person have changed."""


class Stale(Exception):
    """The call has changed since the form was shown, which would undo that."""


class NotUpcoming(Exception):
    """The call is canceled or has begun, so it can no longer be changed."""


@dataclass(frozen=True)
class BookingRequest:
    """A validated request for a call, by a visitor or by a member for them."""

    start: datetime  # UTC
    kind: CallType
    zone: str  # the visitor's
    details: ContactDetails
    topic: str
    submission_key: str
    is_24_hours: bool = False  # the visitor's clock
    suspect: bool = False  # it looks automated
    flood: bool = False  # part of a flood
    client: str | None = None  # digest of its IP address
    answers: Referenced | None = None  # attached by a link
    came_from: str | None = None
    source: str = ""
    host_ids: Collection[int] | None = None  # who may take it; None is anyone
    terms: Terms | None = None  # shown on the form
    by_team: bool = False  # a member spoke with the visitor, so nothing waits for a confirmation
    ignore_availability: bool = False  # a start that a member agreed on; see `_who_is_free`

    @property
    def quarantine(self) -> bool:
        """Whether the call waits for the team, or for a visitor to confirm it by email."""
        return self.suspect or self.flood


@dataclass(frozen=True)
class BookingResult:
    """The outcome of a request."""

    booking: Booking | None  # None: the start is no longer free
    lead: models.Lead | None  # None: the same form had been sent before
    refusals: Sequence[Refusal] = ()  # why there is no booking, host by host

    @property
    def is_message(self) -> bool:
        """Whether only the visitor's message is kept, because too many calls are held."""
        return any(one.reason == HELD for one in self.refusals)


def create(
    session: Session,
    settings: Settings,
    calls: CallTypes,
    request: BookingRequest,
    now: datetime,
) -> BookingResult:
    """Book the requested start with the first free host, and store the lead either way.

    A call beyond an address's limit is held, like one that looks automated: the
    response must not tell a stranger that the address has calls. Raises NotOffered, TermsChanged,
    and for a member's request HasCall.
    """
    hosts = queries.active_hosts(session, lock=True, only=request.host_ids)
    # Check after taking the lock: the same form may have been sent twice at once.
    if booking := session.scalar(SUBMITTED, {"key": request.submission_key}):
        return BookingResult(booking, None)
    hosts = who_take(hosts, request.kind, calls)
    agreed = request.ignore_availability
    wanted = WantedStart(request.kind, request.start, now, is_agreed=agreed)
    free = _who_is_free(session, hosts, wanted)
    refused = [] if free else refusals_of(session, hosts, wanted)
    if not free and not was_offered(refused):
        raise NotOffered(refused)
    touch, quarantine = Touch(now, request.came_from, request.source), request.quarantine
    lead, own = capture_with_answers(
        session, request.details, touch, request.answers, quarantine=quarantine
    )
    if request.by_team:
        refuse_overlap(session, lead.id, request.start, request.kind.minutes)
    else:
        request = _as_suspected(session, settings, request, lead, now)
    if request.quarantine and _holds_enough(session, request.client, now):
        return BookingResult(None, lead, [Refusal(hosts[0].name, HELD)])
    for host in _as_agreed(free, request.kind, request.terms):
        made = _booking(host, lead, request, own, now, settings.secret)
        if booking := time_cells.reserve(session, host, made):
            return BookingResult(booking, lead)
    refused = refused or [Refusal(host.name, BOOKED) for host in hosts]  # a cell was taken
    return BookingResult(None, lead, refused)


def move(
    session: Session,
    booking: Booking,
    calls: CallTypes,
    start: datetime,
    now: datetime,
    *,
    seen: int | None = None,
    ignore_availability: bool = False,
    terms: Terms | None = None,
) -> bool:
    """Move a call to another start (UTC); return False when it is there already.

    Kind and length stay as they were booked. It stays with its host, too; only when that host
    takes no more calls, another does. The host's present rules apply. `ignore_availability` is
    for staff, who agreed on the start (`_who_is_free`). The old time is given up and the new one
    taken at once, or neither. Raises NotUpcoming, NotOffered, Taken, Stale when the call is no
    longer at the sequence that was `seen`, and TermsChanged when nobody who is free offers the
    `terms` that the visitor saw.
    """
    hosts = _lock(session, booking, now)
    if start == booking.starts_at:
        return False
    _refuse_stale(booking, seen)
    kind, own = kind_of(booking, calls), takers(hosts, booking, calls)
    wanted = WantedStart(kind, start, now, booking.id, is_agreed=ignore_availability)
    free = _as_agreed(_who_is_free(session, own, wanted), kind, terms)
    if not any(time_cells.reassign(session, booking, host, kind, start) for host in free):
        refused = refusals_of(session, own, wanted)
        raise Taken(refused) if ignore_availability or was_offered(refused) else NotOffered(refused)
    return True


def reassign(
    session: Session,
    booking: Booking,
    calls: CallTypes,
    host: Host,
    now: datetime,
    *,
    seen: int | None = None,
) -> bool:
    """Reassign a call to another host; return False if it is theirs already.

    Time and length stay as agreed with the visitor; the way to meet, the zone and the buffers are
    the new host's. Only another call can block it: a member who reassigns may overrule
    hours and notice. Raises NotUpcoming, Stale, Taken, and NotOffered for a host without calls.
    """
    hosts = _lock(session, booking, now, host)
    if host.id == booking.host_id:
        return False
    _refuse_stale(booking, seen)
    if host.id not in {one.id for one in hosts}:
        raise NotOffered
    kind = kind_of(booking, calls)
    if not time_cells.reassign(session, booking, host, kind, booking.starts_at):
        raise Taken([Refusal(host.name, BOOKED)])
    return True


def cancel(session: Session, booking: Booking, now: datetime, *, seen: int | None = None) -> bool:
    """Cancel a booking and free its cells; return False if it was canceled before or has begun.

    A call that has begun can't be canceled: it took place or was missed. Raises Stale.
    """
    lock_one(session, booking)
    if not is_upcoming(booking, now):
        return False
    _refuse_stale(booking, seen)
    booking.status = Status.CANCELLED
    booking.cancelled_at = now
    booking.sequence += 1
    time_cells.free(session, booking)
    booking.host.calls_version += 1
    session.flush()
    return True


def confirm(session: Session, booking: Booking, now: datetime, *, seen: int | None = None) -> bool:
    """Confirm a call that waits for the team; False if it doesn't wait or is over. Raises Stale."""
    lock_one(session, booking)
    if not (booking.awaits_confirmation and is_upcoming(booking, now)):
        return False
    _refuse_stale(booking, seen)
    booking.awaits_confirmation, booking.is_proved = False, True
    booking.sequence += 1  # updates the tentative call in the host's calendar
    return True


def is_upcoming(booking: Booking, now: datetime) -> bool:
    """Say whether a call is in the future and not canceled, so that it can be changed."""
    return booking.is_live and booking.starts_at > now


def has_later(session: Session, booking: Booking) -> bool:
    """Say whether the same lead has a later call that was not canceled."""
    later = select(Booking.id).where(Booking.lead_id == booking.lead_id, *coming(booking.starts_at))
    return session.scalar(later.limit(1)) is not None


def coming_calls(session: Session, lead_ids: Collection[int], now: datetime) -> Sequence[Booking]:
    """Return the leads' upcoming calls, in the order in which their hosts are locked."""
    query = select(Booking).where(Booking.lead_id.in_(lead_ids), *coming(now))
    query = query.options(joinedload(Booking.host))
    return session.scalars(query.order_by(Booking.host_id, Booking.id)).all()


def refuse_overlap(
    session: Session, lead_id: int, start: datetime, minutes: int, moving: int | None = None
) -> None:
    """Raise HasCall if a lead has another call during these minutes, except for a held one.

    Only for members: a visitor's form must not tell a stranger that an address has calls.
    """
    end = start + timedelta(minutes=minutes)
    for call in coming_calls(session, [lead_id], start - timedelta(days=1)):
        over = call.starts_at + timedelta(minutes=call.duration)
        if call.starts_at < end and start < over and not call.quarantine and call.id != moving:
            raise HasCall(call.host.name, call.starts_at)


def find_booking(session: Session, token: str, *, lock: bool = False) -> Booking | None:
    """Find a booking by the token of its link; lock it, after its host, for a change."""
    query = select(Booking).where(Booking.token_hash == token_hash(token))
    booking = session.scalar(query)
    if booking and lock:
        lock_one(session, booking)
    return booking


def manage_token(booking: Booking, secret: str) -> str:
    """Return the token of the booking's link; only its hash is stored."""
    return derived_token(secret, "booking", f"{booking.uid}:{booking.address_changes}")


def held(now: datetime) -> ColumnElement[bool]:
    """Select upcoming calls that are held because they look automated."""
    return and_(Booking.quarantine, *coming(now))


def _who_is_free(session: Session, hosts: list[Host], wanted: WantedStart) -> list[Host]:
    """Return the hosts who are free at a start.

    If a member agreed on it, that is the one host who is asked for, whatever their hours and
    calendars say. Of several, no one was asked: those who are free within their hours. Raises
    NotOffered for a past start, and for one that is no multiple of five minutes.
    """
    if wanted.is_agreed:
        start = wanted.start
        if start <= wanted.now or start.timestamp() % time_cells.CELL.total_seconds():
            raise NotOffered
        if len(hosts) == 1:
            return hosts
    return queries.free_hosts(session, hosts, wanted)


def _as_suspected(
    session: Session, settings: Settings, request: BookingRequest, lead: models.Lead, now: datetime
) -> BookingRequest:
    """Mark the request as suspect or flood by what is known about its address.

    A request from a disowned address is suspect until the team has reviewed it; a call beyond
    the address's limit has to be confirmed from the mailbox.
    """
    if outbox.is_disowned(session, capture.mailbox_of_lead(lead.address)):
        request = replace(request, suspect=True)
    return replace(request, flood=request.flood or has_enough(session, settings, lead, now))


def _holds_enough(session: Session, client: str | None, now: datetime) -> bool:
    """Say whether the limit of held calls is reached, for this client or for all.

    A client without held calls has twice the common limit, so that a few clients can't use it up.
    """
    clients = session.scalars(select(Booking.client).where(held(now))).all()
    by_one = client is not None and clients.count(client) >= MOST_HELD_BY_ONE
    return by_one or len(clients) >= MOST_HELD * (1 if client in clients else 2)


def has_enough(session: Session, settings: Settings, lead: models.Lead, now: datetime) -> bool:
    """Say whether a lead's mailbox has reached the limit of confirmed upcoming calls.

    Calls that a stranger booked in its name don't count.
    """
    proved = select(func.count(Booking.id)).where(Booking.is_proved, *coming(now))
    query = proved.join(Booking.lead)
    found = session.scalar(query.where(capture.shares_mailbox(lead.address)))
    return (found or 0) >= settings.bookings_per_address


def is_for_the_team(session: Session, settings: Settings, call: Booking, now: datetime) -> bool:
    """Say whether only the team may release a held call: its mailbox or client has enough."""
    if has_enough(session, settings, call.lead, now):
        return True
    if call.client is None:
        return False
    confirmed = (Booking.status == Status.CONFIRMED, Booking.quarantine.is_(False))
    query = select(func.count(Booking.id)).where(Booking.client == call.client, *confirmed)
    return (session.scalar(query) or 0) >= MOST_OF_CLIENT


def kind_of(booking: Booking, calls: CallTypes) -> CallType:
    """Return a call's kind as it was booked, even if that kind was removed."""
    name = booking.call_name
    kind = calls.find(booking.kind) or CallType(booking.kind, name, booking.duration, name)
    return replace(kind, minutes=booking.duration, price=booking.price)


def takers(active: list[Host], booking: Booking, calls: CallTypes) -> list[Host]:
    """Return the hosts for a moved call: its own, or else those who take its kind."""
    own = [host for host in active if host.id == booking.host_id]
    return own or who_take(active, calls.find(booking.kind) or calls.default, calls)


def _as_agreed(free: list[Host], kind: CallType, terms: Terms | None) -> list[Host]:
    """Return the free hosts who offer the form's terms; TermsChanged if there are none."""
    agreed = [host for host in free if terms is None or terms.allow(host, kind)]
    if free and not agreed:
        raise TermsChanged
    return agreed


def refusals_of(session: Session, hosts: Iterable[Host], wanted: WantedStart) -> list[Refusal]:
    """Return why each host can't take a start; if no rule is broken, a time cell was taken."""
    return [
        Refusal(host.name, queries.why_unavailable(session, host, wanted) or BOOKED)
        for host in hosts
    ]


def _refuse_stale(booking: Booking, seen: int | None) -> None:
    if seen not in (None, booking.sequence):
        raise Stale


def _lock(
    session: Session, booking: Booking, now: datetime, other: Host | None = None
) -> list[Host]:
    """Lock a call and the hosts of a change, and return the hosts; raises NotUpcoming.

    Without an `other`, the hosts are the call's own or, if that one takes no calls, all.
    """
    is_locked = Host.id == booking.host_id
    if other:
        is_locked = or_(is_locked, Host.id == other.id)
    elif not booking.host.is_active:
        is_locked = or_(is_locked, Host.is_active)
    in_order = select(Host.id).where(is_locked).order_by(Host.id).with_for_update()
    locked = session.scalars(in_order).all()
    hosts = queries.active_hosts(session, lock=True, only=locked)
    lock_one(session, booking)
    if booking.host_id not in locked:  # reassigned in the meantime
        return _lock(session, booking, now, other)
    if not is_upcoming(booking, now):
        raise NotUpcoming
    return hosts


def lock_one(session: Session, booking: Booking) -> None:
    """Lock a booking after its host, and refresh both."""
    host_id = None
    while host_id != booking.host_id:  # the call may be reassigned while we wait
        host_id = booking.host_id
        session.get_one(Host, host_id, populate_existing=True, with_for_update=True)
        # PostgreSQL locks no row that an outer join may lack, such as the host loaded with it.
        session.refresh(booking, with_for_update={"of": Booking})


def _booking(
    host: Host,
    lead: models.Lead,
    request: BookingRequest,
    answers: Assessment | None,
    now: datetime,
    secret: str,
) -> Booking:
    uid, kind = uuid.uuid4().hex, request.kind
    rules = host_rules.rules(host, kind)
    booking = Booking(
        uid=uid,
        submission_key=request.submission_key,
        host=host,
        lead=lead,
        assessment_id=answers.id if answers else None,
        came_from=request.came_from,
        source=request.source,
        quarantine=request.quarantine,
        starts_at=request.start,
        kind=kind.slug,
        call_name=kind.name,
        price=kind.price,
        duration=kind.minutes,
        buffer_before=rules.buffer_before,
        buffer_after=rules.buffer_after,
        host_zone=host.zone,
        visitor_zone=request.zone,
        visitor_24_hours=request.is_24_hours,
        awaits_confirmation=kind.confirm_first and not request.by_team,
        is_proved=request.by_team,
        client=request.client,
        meeting_link=host.meeting_link_for(uid, kind),
        topic=request.topic,
        address_changes=0,
        created_at=now,
        **asdict(request.details),
    )
    booking.token_hash = token_hash(manage_token(booking, secret))
    return booking


def correct_email(
    session: Session, settings: Settings, booking: Booking, email: str, now: datetime
) -> bool:
    """Correct the email address of a booking; False after too many corrections or too late.

    The link changes with it: the reader of the mistyped mailbox must not get this one. The
    SEQUENCE rises by two, one for the cancellation at the old address, which a calendar that
    gets both must find older than the invitation at the new one.
    """
    if not is_upcoming(booking, now) or booking.address_changes >= MOST_CHANGES:
        return False
    mistyped = booking.lead
    if not _is_only_trace(session, booking, mistyped):
        led = Touch(booking.created_at, booking.came_from, booking.source)
        told = replace(booking.details, email=email)
        known = capture.capture_lead(session, told, at=now, touches=[led])
        if not is_confirmed(session, mistyped):  # a confirmed lead may be another person's
            capture.pass_on(mistyped, known)
        booking.lead = session.get_one(models.Lead, known.id)
        own = take_along(session, booking.assessment_id, mistyped, known)
        booking.assessment_id = own.id if own else None
        _move_form(session, booking, mistyped)
    else:
        correct_lead(session, mistyped, email)
    readdress(settings, booking, email)
    return True


def readdress(settings: Settings, booking: Booking, email: str) -> None:
    """Give a booking another email address, which nothing has confirmed yet, and another link."""
    booking.email, booking.is_proved = email, False
    booking.address_changes += 1
    booking.sequence += 2
    booking.token_hash = token_hash(manage_token(booking, settings.secret))


def correct_lead(session: Session, mistyped: models.Lead, email: str) -> models.Lead:
    """Give a lead the address that was meant; return it, or the lead that has it and all else."""
    meant = capture.find_lead(session, email)
    while meant is None and not capture.correct_lead_email(session, mistyped, email):
        meant = capture.find_lead(session, email)  # created in the meantime
    if meant is None or meant is mistyped:
        return mistyped
    _merge_into(session, mistyped, meant)
    return meant


def _is_only_trace(session: Session, booking: Booking, lead: models.Lead) -> bool:
    """Say whether a lead exists only because of this booking, and so of a typo."""
    others = session.scalar(
        select(func.count()).where(Booking.lead_id == lead.id, Booking.id != booking.id)
    )
    return lead.created_at == booking.created_at and not others


def _move_form(session: Session, booking: Booking, wrong: models.Lead) -> None:
    """Move the details of the booking's form to the lead of the corrected address.

    A consent has to be confirmed again: only the mistyped mailbox can have confirmed it.
    """
    for event in [one for one in wrong.events if one.detail.get("booking") == booking.id]:
        event.lead = booking.lead
    asked = (models.Consent.lead_id == wrong.id, models.Consent.at == booking.created_at)
    forms = models.Consent.source.in_(("book", consent.TOLD_SOURCE))
    query = select(models.Consent).where(*asked, forms).order_by(models.Consent.id.desc())
    if given := session.scalar(query.limit(1)):
        given.lead_id = booking.lead.id
        given.is_proved = given.is_proved and given.source == consent.TOLD_SOURCE


def _merge_into(session: Session, wrong: models.Lead, right: models.Lead) -> None:
    """Move everything from the mistyped lead to the correct one, and delete the mistyped lead."""
    capture.merge_leads(session, right, wrong)
    for model in (Booking, Assessment, OutboxMessage):
        session.execute(update(model).where(model.lead_id == wrong.id).values(lead_id=right.id))
    session.expire_all()
    session.delete(wrong)
    session.flush()
