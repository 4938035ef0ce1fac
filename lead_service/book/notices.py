"""What a booking sets off, in the transaction that makes it: its event, its consent, its mails."""

from datetime import datetime

from sqlalchemy.orm import Session

from .. import leads, team
from ..assess.brief import Brief
from ..assess.framework import Framework
from ..assess.handover import brief_of
from ..assess.models import Assessment
from ..dates import clock_time, long_date
from ..emails import outbox
from ..published import Published
from ..security import token_hash
from ..settings import Settings
from . import diary, emails
from .forms import CONSENT_WORDING, ContactForm
from .models import Booking


def booked(
    session: Session, settings: Settings, published: Published, booking: Booking, now: datetime
) -> None:
    """Queue the invitation, the host's brief and the team's mail.

    A suspected booking tells the team at once, flagged; the visitor's mail is held until
    somebody releases it.
    """
    assessment = session.get(Assessment, booking.assessment_id) if booking.assessment_id else None
    if assessment:
        assessment.lead_id = assessment.lead_id or booking.lead_id
    brief = brief_of(session, assessment, published.framework)
    article = published.title_of(booking.came_from)
    leads.record(session, booking.lead, "call_booked", now, booking=booking.id)
    confirm(session, settings, booking, now, brief, article)
    call = (
        f"{long_date(booking.starts_at, booking.host_zone)},"
        f" {clock_time(booking.starts_at, booking.host_zone)} ({booking.host_zone})"
    )
    team.tell(
        session,
        settings,
        booking.lead,
        "booked a call" + (" (suspected to be automated)" if booking.quarantine else ""),
        now,
        key=f"booked:{booking.uid}",
        text=booking.topic,
        brief=brief,
        article=article,
        call=call,
        but_not=booking.host.email,
    )


def confirm(
    session: Session,
    settings: Settings,
    booking: Booking,
    now: datetime,
    brief: Brief | None,
    article: str,
) -> None:
    """Queue the invitation to the booking's present address, and the host's with the brief."""
    link = settings.link(f"/booking/{diary.manage_token(booking, settings.secret)}/")
    outbox.queue(
        session,
        emails.to_visitor(settings, booking, "booking_confirmed", now, link),
        at=now,
        lead_id=booking.lead_id,
        useless_after=booking.starts_at,
        dedupe_key=f"{booking.uid}:confirmed:{booking.sequence}",
        held=booking.quarantine,
    )
    outbox.queue(
        session,
        emails.to_host(settings, booking, "booking_for_host", now, brief, article),
        at=now,
        lead_id=booking.lead_id,
        dedupe_key=f"{booking.uid}:host:{booking.sequence}",
    )


def _take_back(session: Session, booking: Booking) -> bool:
    """Take back invitations that wait to be sent; say whether the visitor's was among them.

    One that the provider has kept us from sending would otherwise arrive after its
    cancellation, and read as if the call were on again.
    """
    outbox.cancel(session, dedupe_prefix=f"{booking.uid}:host:")
    return bool(outbox.cancel(session, dedupe_prefix=f"{booking.uid}:confirmed:"))


def cancelled(session: Session, settings: Settings, booking: Booking, now: datetime) -> None:
    """Queue the cancellation to both sides; a visitor in quarantine was never written to."""
    leads.record(session, booking.lead, "call_cancelled", now, booking=booking.id)
    _take_back(session, booking)
    key, again = f"{booking.uid}:cancelled", settings.link("/book/")
    if not booking.quarantine:
        to_visitor = emails.to_visitor(settings, booking, "booking_cancelled", now, again)
        outbox.queue(session, to_visitor, at=now, lead_id=booking.lead_id, dedupe_key=key)
    to_host = emails.to_host(settings, booking, "booking_cancelled_for_host", now)
    outbox.queue(session, to_host, at=now, lead_id=booking.lead_id, dedupe_key=f"{key}:host")


def readdressed(
    session: Session,
    settings: Settings,
    published: Published,
    booking: Booking,
    before: str,
    now: datetime,
) -> None:
    """Queue the invitation to the corrected address, and take it out of the mistyped one's.

    The host gets the brief again, with the address that now answers.
    """
    leads.record(session, booking.lead, "address_corrected", now, booking=booking.id)
    if not _take_back(session, booking) and not booking.quarantine:
        outbox.queue(
            session,
            emails.withdrawal(settings, booking, before, now),
            at=now,
            dedupe_key=f"{booking.uid}:withdrawn:{booking.sequence}",
        )
    brief = _brief(session, published.framework, booking)
    confirm(session, settings, booking, now, brief, published.title_of(booking.came_from))


def _brief(session: Session, framework: Framework, booking: Booking) -> Brief | None:
    assessment = session.get(Assessment, booking.assessment_id) if booking.assessment_id else None
    return brief_of(session, assessment, framework)


def missed(
    session: Session, settings: Settings, lead: leads.Lead, wish: diary.Wish, now: datetime
) -> bool:
    """Note that somebody wanted a start that was just taken, and tell the team, once."""
    key = wish.submission_key
    is_new = leads.record_once(
        session, lead, "wanted_start", now, key=key, start=wish.start.isoformat(), text=wish.topic
    )
    if is_new:
        wanted = f"{wish.start:%Y-%m-%d %H:%M} UTC"
        what = f"wanted a call at {wanted}, which was just taken"
        team.tell(session, settings, lead, what, now, key=f"missed:{key}", text=wish.topic)
    return is_new


def wrote(session: Session, settings: Settings, form: ContactForm, now: datetime) -> None:
    """Keep a message as a lead with its event, once, and tell the team."""
    key = token_hash(form.submission.data or "")
    lead, _ = leads.capture(
        session,
        email=form.email.data or "",
        name=form.name.data or "",
        company=form.company.data or "",
        phone=form.phone.data or "",
        quarantine=form.is_suspect,
        at=now,
    )
    text, suspect = form.topic.data or "", form.is_suspect
    if not leads.record_once(session, lead, "wrote", now, key=key, text=text, suspect=suspect):
        return
    may_contact = bool(form.may_contact.data)
    leads.record_consent(
        session, lead, wording=CONSENT_WORDING, may_contact=may_contact, source="contact", at=now
    )
    what = "wrote to us" + (" (suspected to be automated)" if suspect else "")
    team.tell(session, settings, lead, what, now, key=f"wrote:{key}", text=text)
