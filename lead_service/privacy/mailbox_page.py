"""The page for the owner of a mailbox: confirm or disown an address, and choose emails.

Only emails to visitors have a link to it. A GET changes nothing.
"""

from collections.abc import Iterable
from datetime import datetime

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from .. import clock
from ..accounts.audit_log import Actor
from ..book import bookings, notifications
from ..book.models import Booking, coming
from ..emails import outbox, team_notices
from ..leads import capture, consent, events
from ..leads.consent import Occasion
from ..leads.models import Consent, EventKind, Lead, Stage
from ..settings import Settings
from ..web.context import context
from ..web.mailbox import find_by_mailbox
from ..web.security import limit_posts
from . import erasure

blueprint = Blueprint("mailbox", __name__, url_prefix="/email")


@blueprint.get("/<token>/")
def choices(token: str) -> str:
    """Show the present choices and the possible ones."""
    settings, now = context().settings, clock.now()
    with context().database.read() as session:
        lead = find_by_mailbox(session, settings.secret, token) or abort(404)
        unproved = [one for one in _coming(session, lead, now) if not one.is_proved]
        waiting = [one for one in unproved if one.quarantine]
        agreed = consent.agreed(session, lead.id)
        return render_template(
            "privacy/mailbox.html",
            token=token,
            email=lead.email,
            agreed=agreed,
            is_confirmed=any(one.kind == EventKind.ADDRESS_CONFIRMED for one in lead.events),
            canceled=lead.disowned_at is not None and _has_canceled(session, lead),
            is_kept=_is_proved(session, lead),
            calls=unproved,
            waiting=waiting,
            ticked=_topics(agreed.waiting),
            has_enough=any(
                bookings.is_for_the_team(session, settings, one, now) for one in waiting
            ),
        )


@blueprint.get("/erased/")
def erased() -> str:
    """Confirm that everything was erased."""
    return render_template("privacy/erased.html")


@blueprint.post("/<token>/")
@limit_posts
def choices_submit(token: str) -> ResponseReturnValue:
    """Confirm, withdraw, or disown the lead of this address."""
    choice, settings, now = request.form.get("choice", ""), context().settings, clock.now()
    work, kind = CHOICES.get(choice) or abort(422)

    def decide(session: Session) -> bool:
        lead = find_by_mailbox(session, settings.secret, token) or abort(404)
        own_id = lead.id
        events.record_event(session, lead, kind, now)
        work(session, settings, lead, now)
        return session.scalar(select(Lead.id).where(Lead.id == own_id)) is not None

    if context().database.write(decide):
        return redirect(url_for(".choices", token=token), 303)
    context().database.forget()
    erasure.sweep_folder(context().database, settings.mail_folder)
    return redirect(url_for(".erased"), 303)


def _topics(ticks: Iterable[Consent]) -> list[str]:
    """Name the topics of consents, for the owner of the mailbox."""
    is_result = (one.source == consent.RESULT_SOURCE for one in ticks)
    return sorted({"your result" if one else "our services" for one in is_result})


def _confirm(session: Session, settings: Settings, lead: Lead, now: datetime) -> None:
    """Confirm consents, and calls that were held until someone confirms them."""
    own = capture.shares_mailbox(lead.address)
    session.execute(update(Lead).where(own).values(disowned_at=None))
    ticks = consent.agreed(session, lead.id).waiting
    for tick in ticks:
        tick.is_proved = True
    for_team: list[int] = []
    for call in _coming(session, lead, now):
        if call.quarantine and bookings.is_for_the_team(session, settings, call, now):
            for_team.append(call.id)
            continue
        call.quarantine, call.is_proved = False, True
        session.flush()
        notifications.give_to_host(session, call, Actor(now))
    if not for_team:
        lead.quarantine = False
    outbox.release(session, lead.id, now, held_calls=for_team)
    if ticks and not lead.quarantine:
        _tell_team(session, settings, lead, now, may_contact=True)


def _withdraw(session: Session, settings: Settings, lead: Lead, now: datetime) -> None:
    """Withdraw every consent; email the team if it could have used one."""
    before, source = consent.agreed(session, lead.id), consent.WITHDRAWN_SOURCE
    was_asked = {consent.SERVICES: True, consent.RESULT: before.result is not None}
    for asked in [one for one, is_asked in was_asked.items() if is_asked]:
        consent.record_consent(session, lead, asked, may_contact=False, source=source, at=now)
    if before.topics and not before.is_disowned:
        _tell_team(session, settings, lead, now, may_contact=False)


def _tell_team(
    session: Session, settings: Settings, lead: Lead, now: datetime, *, may_contact: bool
) -> None:
    """Email the team that a person agreed to our emails or withdrew that."""
    team_notices.notify(
        session,
        settings,
        lead.id,
        now,
        occasion=Occasion.CONSENT,
        key=f"may-contact:{lead.id}:{may_contact}:{now.timestamp()}",
        may_contact=may_contact,
    )


def _disown(session: Session, settings: Settings, lead: Lead, now: datetime) -> None:
    """Cancel unproved calls, or erase a lead that nobody has confirmed or worked on.

    The host gets an email about a canceled call, so its lead stays until `_erase`. A repeated
    request must not erase it: the lead's `disowned_at` holds later emails to the address.
    """
    was_disowned = lead.disowned_at is not None
    _withdraw(session, settings, lead, now)
    lead.disowned_at = lead.disowned_at or now
    calls = [call for call in _coming(session, lead, now) if not call.is_proved]
    for call in calls:
        if bookings.cancel(session, call, now):
            notifications.disowned(session, settings, call, now)
    if not calls and not was_disowned:
        _erase(session, settings, lead, now)


def _erase(session: Session, settings: Settings, lead: Lead, now: datetime) -> None:
    """Erase a lead, unless it has an upcoming call, was confirmed or was worked on."""
    if not _coming(session, lead, now) and not _is_proved(session, lead):
        erasure.erase(session, settings, lead.address, Actor(now))


def _is_proved(session: Session, lead: Lead) -> bool:
    """Say whether the owner of the mailbox or a member has confirmed or changed a lead."""
    proved = [select(kind.id).where(kind.lead_id == lead.id, kind.is_proved) for kind in KINDS]
    is_worked_on = lead.stage != Stage.NEW or lead.notes
    return bool(is_worked_on or any(session.scalar(one.limit(1)) for one in proved))


KINDS = (Consent, Booking)
CHOICES = {
    "confirm": (_confirm, EventKind.ADDRESS_CONFIRMED),
    "withdraw": (_withdraw, EventKind.CONSENT_WITHDRAWN),
    "not-me": (_disown, EventKind.ADDRESS_DISOWNED),
    "erase": (_erase, EventKind.ADDRESS_DISOWNED),
}


def _has_canceled(session: Session, lead: Lead) -> bool:
    """Say whether a call was canceled since the owner disowned the address."""
    gone = (Booking.lead_id == lead.id, Booking.cancelled_at >= lead.disowned_at)
    return session.scalar(select(Booking.id).where(*gone).limit(1)) is not None


def _coming(session: Session, lead: Lead, now: datetime) -> list[Booking]:
    query = select(Booking).where(Booking.lead_id == lead.id, *coming(now))
    return list(session.scalars(query.order_by(Booking.starts_at)))
