"""The acts of people in the made-up stories, one function each, by the product's own functions.

Each act takes the story so far and happens at `tale.at`; nothing here reads the clock.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from ...accounts.audit_log import Actor
from ...accounts.members import Member
from ...assess import emails, models
from ...assess.forms import MailForm
from ...book import bookings, call_changes, notifications
from ...book.availability import queries
from ...book.hosts.models import Host
from ...book.models import Booking, CallOutcome, coming
from ...contact import routes
from ...contact.routes import ContactForm
from ...desk.leads import lead_updates
from ...desk.mail.composers import composer
from ...emails import delivery_events
from ...emails.delivery_events import Event
from ...emails.message import to_json
from ...emails.models import Delivery, EmailState, OutboxMessage
from ...emails.outbox import LEASE_SECONDS
from ...emails.retries import SPAN_BEFORE_DEAD, TRIES_BEFORE_DEAD
from ...leads import capture
from ...leads.contact_details import ContactDetails
from ...leads.models import Lead
from ...leads.touch import Touch
from ...web.context import Context
from ...web.fields import HoneypotForm
from ...web.tokens import derived_token, token_hash

SECOND = timedelta(seconds=1)
SOURCES = ("", "utm_source=linkedin&utm_medium=social", "utm_source=newsletter", "")
REASONS = {
    "failed": "the provider refused this email (400)",
    "dead": "the email provider returned an error (503)",
    "bounced": "there is no such mailbox (5.1.1)",
    "dropped": "an earlier email to this address bounced",
    "deferred": "their mail server asked us to wait (4.2.2)",
}


@dataclass(frozen=True)
class Step:
    """One act of a story, `after` hours after the last one; None: after the call has ended."""

    after: float | None
    act: Callable[..., None]
    given: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Story(ContactDetails):
    """One visitor's story, which began `began` days ago; without an address, it makes no lead."""

    began: float
    zone: str = "America/New_York"
    article: str = ""  # its step, or "founding"
    steps: tuple[Step, ...] = ()
    emails: dict[str, str] = field(default_factory=dict)  # kind: outcome of the first email


@dataclass(frozen=True)
class Demo:
    """The state that all stories share."""

    session: Session
    context: Context
    now: datetime
    addresses: list[str]  # in lower case
    members: dict[str, Member]  # members and hosts, by the colleague's short name
    hosts: dict[str, Host]
    tokens: list[str] = field(default_factory=list)  # of the assessments


@dataclass
class Tale:
    """The state of a story."""

    demo: Demo
    story: Story
    at: datetime
    fates: dict[str, str]
    token: str = ""  # of the assessment
    assessment: models.Assessment | None = None
    lead_id: int = 0
    call: Booking | None = None

    @property
    def session(self) -> Session:
        return self.demo.session

    @property
    def lead(self) -> Lead:
        return self.session.get_one(Lead, self.lead_id, with_for_update=True)

    def by(self, member: str) -> Actor:
        """Return the actor of an act now: a colleague, or the visitor for an empty name."""
        return Actor(self.at, self.demo.members[member] if member else None)


def tell(demo: Demo, story: Story) -> None:
    """Run the steps of a story that lie in the past, with their emails."""
    tale = Tale(demo, story, _beginning(demo.now, story), dict(story.emails))
    for one in story.steps:
        at = tale.at + timedelta(hours=one.after or 0)
        if one.after is None and tale.call:
            at = max(at, tale.call.starts_at + timedelta(minutes=tale.call.duration + 10))
        if at >= demo.now:
            break
        tale.at = at
        one.act(tale, **one.given)
    send_emails(demo, demo.now, tale.fates)


def _beginning(now: datetime, story: Story) -> datetime:
    """Return a story's begin: in working hours, or exactly `began` days ago if that is today."""
    if story.began < 1:
        return now - timedelta(days=story.began)
    draw = Random(f"{story.began} {story.email}")  # seeded, so that each run gives the same story
    day = (now - timedelta(days=story.began)).date()
    minute = timedelta(minutes=draw.randrange(8 * 60), seconds=draw.randrange(60))
    return datetime.combine(day, time(13), now.tzinfo) + minute


# -- Visitors -------------------------------------------------------------------------------


def assess(tale: Tale, levels: str, stop: str = "") -> None:
    """Answer the self-assessment, up to the step `stop`.

    `levels` holds a word for each step, and in it a digit, 0 to 3, for each question.
    """
    settings, published = tale.demo.context.settings, tale.demo.context.published
    framework = published.framework
    article = published.articles[-1] if tale.story.article == "founding" else None
    article = article or published.article_of(tale.story.article)
    seed = f"demo:{tale.story.began}:{tale.story.email}:{len(tale.demo.tokens)}"
    tale.token = models.first_token(settings.secret, framework, seed)
    tale.demo.tokens.append(tale.token)
    for one, digits in zip(framework.steps, levels.split(), strict=True):
        if one.slug == stop:
            break
        chosen = {
            question.id: question.answers[int(digits[number % len(digits)])].id
            for number, question in enumerate(one.questions)
        }
        if one is framework.steps[0]:
            came_from = article.slug if article else None
            phase = framework.phases[len(tale.demo.tokens) % len(framework.phases)].id
            begun = (tale.session, framework, chosen, came_from, tale.at, tale.token)
            source = SOURCES[len(tale.demo.tokens) % len(SOURCES)]
            models.start(*begun, phase=phase, source=source)
            tale.assessment = models.find_assessment(tale.session, tale.token)
        else:
            taken = _assessment(tale)
            models.answer(taken, framework, chosen, tale.at, asked_in=taken.phase)
        tale.at += 30 * SECOND


def share(tale: Tale) -> None:
    """Make a link to the result for colleagues."""
    models.share(_assessment(tale), tale.demo.context.settings.secret)


def ask_for_result(tale: Tale, suspect: bool = False, may_contact: bool = True) -> None:
    """Have the result emailed, with the box ticked or not."""
    settings, assessment = tale.demo.context.settings, _assessment(tale)
    ticked = {"may_contact": "y"} if may_contact else {}
    form = _typed(MailForm, suspect, email=tale.story.email, **ticked)
    emails.send_result(tale.session, settings, assessment, form, tale.at)
    _know_lead(tale)


def write(tale: Tale, text: str, suspect: bool = False) -> None:
    """Send the contact form."""
    story, settings = tale.story, tale.demo.context.settings
    given = asdict(ContactDetails.of(story)) | {"topic": text, "submission": _key(tale, "wrote")}
    form = _typed(ContactForm, suspect, **given)
    routes.save_message(tale.session, settings, form, Touch(tale.at))
    _know_lead(tale)


def book(
    tale: Tale, host: str, day: int, hour: int = 10, topic: str = "", suspect: bool = False
) -> None:
    """Book the first open time from `hour` (the host's) on a day so many days from the present."""
    start = _open_start(tale, tale.demo.hosts[host], day, hour)
    tale.call = _ask_for_call(tale, tale.demo.hosts[host], start, topic, suspect)
    assert tale.call


def come_too_late(tale: Tale, host: str, topic: str) -> None:
    """Try to book a time that another visitor has just booked."""
    host_id = tale.demo.hosts[host].id
    later = coming(tale.at + timedelta(days=1))
    taken = select(Booking.starts_at).where(Booking.host_id == host_id, *later)
    start = tale.session.scalars(taken.order_by(Booking.starts_at)).first()
    if start:
        _ask_for_call(tale, tale.demo.hosts[host], start, topic, suspect=False)


def correct_address(tale: Tale, email: str) -> None:
    """Have the invitation sent to another address."""
    settings, call, now = tale.demo.context.settings, _call(tale), tale.at
    before = call.email
    bookings.correct_email(tale.session, settings, call, email, now)
    notifications.email_corrected(tale.session, settings, call, before, Actor(now))
    tale.lead_id = call.lead_id


def move(tale: Tale, day: int, hour: int = 10, by: str = "", note: str = "") -> None:
    """Move the call; `by` a colleague, or by the visitor."""
    call, calls = _call(tale), tale.demo.context.published.calls
    start = _open_start(tale, call.host, day, hour, moving=call.id)
    told = (tale.session, tale.demo.context.settings, calls, call, start, tale.by(by))
    call_changes.move(*told, note=note)


def cancel(tale: Tale, by: str = "", note: str = "") -> None:
    """Cancel the call; `by` a colleague, or by the visitor."""
    settings = tale.demo.context.settings
    call_changes.cancel(tale.session, settings, _call(tale), tale.by(by), note=note)


# -- Colleagues -----------------------------------------------------------------------------


def give(tale: Tale, to: str, by: str, note: str = "") -> None:
    """Give the call to another host."""
    settings, calls = tale.demo.context.settings, tale.demo.context.published.calls
    told = (tale.session, settings, calls, _call(tale), tale.demo.hosts[to], tale.by(by))
    call_changes.give(*told, note=note)


def mark(tale: Tale, by: str, result: str | None = None) -> None:
    """Mark the outcome of the call, or undo that."""
    outcome = CallOutcome(result) if result else None
    call_changes.mark(tale.session, tale.demo.context.settings, _call(tale), outcome, tale.by(by))


def invite_again(tale: Tale, by: str, note: str = "") -> None:
    """Ask the visitor of a no-show to book again."""
    call_changes.invite_again(tale.session, _call(tale), tale.by(by), note)


def talk(tale: Tale, by: str, how: str, text: str = "") -> None:
    """Add a lead by hand, whom a colleague talked to and who agreed to emails."""
    told, actor = (tale.session, ContactDetails.of(tale.story), how), tale.by(by)
    own_id = actor.member_id
    added = lead_updates.add(*told, actor, owner_id=own_id, may_contact=True, note=text)
    tale.lead_id = added.lead.id


def release(tale: Tale, by: str) -> None:
    """Release the suspected lead."""
    lead_updates.release(tale.session, tale.lead, tale.by(by))


def edit(tale: Tale, by: str, owner: str = "", due: int | None = None, **changes: Any) -> None:
    """Change stage, owner, next action (`due` in so many days) or details."""
    lead = tale.lead
    if owner:
        changes["owner_id"] = tale.demo.members[owner].id
    if due is not None:
        changes["next_action_on"] = tale.demo.now.date() + timedelta(days=due)
    seen = lead_updates.update_of(lead)
    lead_updates.save(tale.session, lead, seen | changes, seen, tale.by(by))


def note(tale: Tale, by: str, text: str) -> None:
    """Add a note to the lead."""
    lead_updates.write_note(tale.session, tale.lead, text, tale.by(by))


# -- Emails ---------------------------------------------------------------------------------


def send_emails(demo: Demo, until: datetime, fates: dict[str, str] | None = None) -> None:
    """Settle every email that is due before `until`, without sending any.

    `fates` gives the outcome of the next email of a kind: an outbox state or a delivery event of
    the provider; other emails are delivered.
    """
    due = select(OutboxMessage).where(
        OutboxMessage.state == EmailState.PENDING,
        OutboxMessage.due_at < until,
        OutboxMessage.address.in_(demo.addresses),
    )
    order = (OutboxMessage.due_at, OutboxMessage.kind, OutboxMessage.dedupe_key)
    told: list[Event] = []
    for email in demo.session.scalars(due.order_by(*order)).all():
        fate = fates.pop(email.kind, "delivered") if fates else "delivered"
        told += _events(email, fate) if _leaves(demo, email, fate) else []
    if told:
        delivery_events.apply_events(demo.session, told, max(event.at for event in told))


def _leaves(demo: Demo, email: OutboxMessage, fate: str) -> bool:
    """Store an email's outcome like the deliver process; say whether the provider accepted it."""
    at = email.due_at + 2 * SECOND
    email.attempts, email.reason = 1, REASONS.get(fate, "")
    match fate:
        case "sending":
            email.state, email.lease_token = EmailState.SENDING, email.id
            email.leased_until = demo.now + LEASE_SECONDS * SECOND
        case "failed":
            email.state, email.alarm_at = EmailState.FAILED, at
        case "dead":
            email.state, email.attempts = EmailState.DEAD, TRIES_BEFORE_DEAD
            email.failing_since, email.alarm_at = at, at + SPAN_BEFORE_DEAD
        case "expired":
            email.state, email.attempts, email.facts = EmailState.EXPIRED, 0, None
        case _:
            context = demo.context
            message = composer(context.settings, context.published)(demo.session, email, at)
            email.state, email.sent_at, email.reason = EmailState.SENT, at, ""
            email.body, email.facts = to_json(message), None
            return True
    return False


def _events(email: OutboxMessage, fate: str) -> list[Event]:
    """Return the provider's delivery events for an accepted email."""
    kinds = [] if fate == "sent" else dict.fromkeys((Delivery.PROCESSED, Delivery(fate)))
    return [
        Event(
            email.id,
            hashlib.sha256(f"{email.id} {kind}".encode()).hexdigest(),
            kind,
            email.due_at + (3 + number) * SECOND,
            REASONS.get(kind, ""),
        )
        for number, kind in enumerate(kinds)
    ]


# -- Shared by several acts -------------------------------------------------------------------


def _assessment(tale: Tale) -> models.Assessment:
    assert tale.assessment
    return tale.assessment


def _call(tale: Tale) -> Booking:
    """Settle the call's due emails, which a change would cancel, and return the call."""
    assert tale.call
    send_emails(tale.demo, tale.at, tale.fates)
    return tale.call


def _know_lead(tale: Tale) -> None:
    lead = capture.find_lead(tale.session, tale.story.email)
    assert lead
    tale.lead_id = lead.id


def _typed(form_class: type[HoneypotForm], suspect: bool, **fields: str) -> Any:
    """Return a valid form with these fields, suspected or not."""
    form = form_class(MultiDict(fields))
    form.is_suspect = suspect
    assert form.validate(), form.errors
    return form


def _key(tale: Tale, occasion: str) -> str:
    """Return a form's submission key, the same one in each run of the story."""
    seed = f"{occasion}:{tale.story.email}:{tale.at.isoformat()}"
    return derived_token(tale.demo.context.settings.secret, "demo", seed)


def _open_start(tale: Tale, host: Host, on: int, hour: int, moving: int | None = None) -> datetime:
    zone = ZoneInfo(host.zone)
    day = tale.demo.now.astimezone(zone).date() + timedelta(days=on)
    wanted = datetime.combine(day, time(hour), zone)
    return queries.open_starts(
        tale.session,
        [host],
        tale.demo.context.published.calls.default,
        now=tale.at,
        start=wanted,
        end=wanted + timedelta(days=14),
        moving=moving,
    )[0]


def _ask_for_call(
    tale: Tale, host: Host, start: datetime, topic: str, suspect: bool
) -> Booking | None:
    story, settings = tale.story, tale.demo.context.settings
    assessment = tale.assessment
    calls = tale.demo.context.published.calls
    wanted = bookings.BookingRequest(
        start=start,
        kind=calls.default,
        zone=story.zone,
        details=ContactDetails.of(story),
        topic=topic,
        submission_key=token_hash(_key(tale, "booked")),
        suspect=suspect,
        answers=models.Referenced(assessment, tale.at) if assessment else None,
        came_from=assessment.came_from if assessment else None,
        source=assessment.source if assessment else "",
        host_ids=[host.id],
    )
    outcome = bookings.create(tale.session, settings, calls, wanted, tale.at)
    told = (tale.session, settings, wanted, outcome, Actor(tale.at))
    notifications.form_answered(*told, may_contact=bool(topic))
    _know_lead(tale)
    return outcome.booking
