"""Email a visitor their result, and undo that if the address wasn't theirs."""

import hmac
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from ..call_types import CallTypes
from ..emails import outbox, practice_context, provider_erasure, team_notices
from ..emails.message import EmailKind, Message, compose
from ..emails.models import OutboxMessage
from ..emails.outbox import NotNeeded
from ..formats import in_sentence
from ..leads import capture, consent, events
from ..leads.consent import RESULT_SOURCE, Occasion
from ..leads.contact_details import ContactDetails
from ..leads.models import Consent, EventKind, Lead, LeadEvent
from ..publishing.site import Published
from ..settings import Settings
from ..web import carried, mailbox
from ..web.tokens import derived_token
from . import text
from .diagnosis import Diagnosis, diagnose
from .forms import MailForm
from .models import Assessment, framework_of, reference, share, share_token, unshare
from .ownership import claim

USEFUL_FOR = timedelta(days=7)
EVENT, SOURCE = EventKind.RESULT_MAILED, RESULT_SOURCE  # the traces of a submission
TEAM_IS_TOLD = "took the self-assessment and had the result emailed"
KEY = 32  # hexadecimal characters, 128 bits

log = logging.getLogger(__name__)


def result_email(
    session: Session, settings: Settings, published: Published, row: OutboxMessage, _now: datetime
) -> Message:
    """Compose the email with a result, and none of the visitor's answers: it may be passed on.

    Raises NotNeeded once the answers are deleted, incomplete or no longer shared.
    """
    said = row.facts or {}
    answers = select(Assessment).where(Assessment.token_hash == said["answers"])
    assessment = session.scalar(answers)
    if assessment is None:
        raise NotNeeded("the visitor deleted the result")
    if not (shared := share_token(assessment, settings.secret)):
        raise NotNeeded("the visitor stopped sharing the result")
    if assessment.completed_at is None:
        raise NotNeeded("the visitor is changing their answers")
    framework = framework_of(session, assessment)
    lead = session.get(Lead, row.lead_id or 0)
    not_me = settings.link(f"/assessment/not-me/{_with_proof(settings.secret, said['key'])}/")
    own = reference(assessment, settings.secret) if assessment.lead_id == row.lead_id else ""
    return result_message(
        settings,
        published.calls,
        row.address,
        diagnose(framework, assessment.answers, assessment.phase),
        settings.link(f"/assessment/shared/{shared}/?own=1"),
        not_me,
        {"assessment": own, "article": assessment.came_from, "source": assessment.source},
        **(mailbox.choices(session, settings, lead) if lead else {}),
    )


def result_message(
    settings: Settings,
    calls: CallTypes,
    email: str,
    diagnosis: Diagnosis,
    link: str,
    not_me: str,
    known: Mapping[str, Any] | None = None,
    **choices: Any,
) -> Message:
    """Compose the email with a result, and none of the visitor's answers: it may be passed on.

    `link` is the link to share. `not_me` is the link for people who did not ask for the email.
    `known` are the arguments of `carried.with_context` for links to a booking.
    """
    context, engagement = practice_context(settings), diagnosis.outcome.engagement
    call = calls.fitting(engagement.slug if engagement else None)
    return compose(
        EmailKind.RESULT,
        to=email,
        diagnosis=diagnosis,
        outcome_title=text.outcome_title(diagnosis),
        how=text.how_to_close(diagnosis),
        score_is=text.what_the_score_is(diagnosis),
        link=link,
        book=settings.link(carried.with_context(calls.address(call), **(known or {}))),
        call_name=in_sentence(call.name),
        not_me=not_me,
        **choices,
        **context,
    )


def send_result(
    session: Session,
    settings: Settings,
    assessment: Assessment,
    form: MailForm,
    now: datetime,
    *,
    flood: bool = False,
) -> None:
    """Create or update the lead and queue the email; the same form sent twice changes nothing.

    Opens a share link for the email.
    """
    email, suspect = form.email.data or "", form.is_suspect or flood
    details, touches = ContactDetails(email=email), [assessment.touch]
    lead = capture.capture_lead(session, details, at=now, quarantine=suspect, touches=touches)
    key = _key(settings.secret, assessment, lead)
    if not events.record_event(session, lead, EVENT, now, key=key, assessment=assessment.id):
        return
    claim(session, assessment.id, lead.id)
    agreed = bool(form.may_contact.data)
    consent.record_consent(session, lead, consent.RESULT, may_contact=agreed, source=SOURCE, at=now)
    share(assessment, settings.secret)
    _queue_result(session, assessment, email, lead.id, key, now, held=suspect)
    if lead.created_at == now:  # this form created the lead
        team_notices.notify(
            session,
            settings,
            lead.id,
            now,
            occasion=Occasion.RESULT,
            key=f"result:{key}",
            what=TEAM_IS_TOLD + capture.POSSIBLE_SPAM * suspect,
            came_from=assessment.came_from,
            flood=flood,
        )


def _queue_result(
    session: Session,
    assessment: Assessment,
    email: str,
    lead_id: int,
    key: str,
    at: datetime,
    *,
    held: bool,
) -> None:
    outbox.queue(
        session,
        EmailKind.RESULT,
        email,
        at=at,
        useless_after=at + USEFUL_FOR,
        facts={"answers": assessment.token_hash, "key": key},
        lead_id=lead_id,
        dedupe_key=f"result:{key}",
        held=held,
    )


def key_of(token: str, secret: str) -> str | None:
    """Return the submission key in a "this was not me" token; None if forged.

    The token contains the key and a signature, so it can be verified even when nothing is left
    of the submission.
    """
    key = token[:KEY]
    is_ours = hmac.compare_digest(token.encode(), _with_proof(secret, key).encode())
    return key if is_ours else None


def submission(session: Session, key: str) -> LeadEvent | None:
    """Find the event of a submission."""
    return session.scalar(select(LeadEvent).where(LeadEvent.submission_key == key))


def disown(session: Session, settings: Settings, key: str, now: datetime) -> None:
    """Erase one submission: event, consent, emails, and the lead if nothing else is left.

    Members' changes to the lead are erased with it. The email
    provider is asked to erase the address.
    """
    its_lead = select(LeadEvent.lead_id).where(LeadEvent.submission_key == key)
    lead = session.scalar(select(Lead).where(Lead.id.in_(its_lead)).with_for_update())
    event = submission(session, key)  # read again under the lock
    if lead is None or event is None:
        return
    about = OutboxMessage.dedupe_key.contains(key)
    to_them = OutboxMessage.address == lead.email
    provider_erasure.ask(
        session, settings, (OutboxMessage.lead_id == lead.id) & about & to_them, now
    )
    # The answers may belong to another lead by now, after a corrected address.
    sent = event.detail.get("assessment", 0)
    its_answers = or_(Assessment.lead_id == lead.id, Assessment.id == sent)
    session.execute(delete(OutboxMessage).where(OutboxMessage.lead_id == lead.id, about))
    given = (Consent.lead_id == lead.id, Consent.source == SOURCE, Consent.at == event.at)
    session.execute(delete(Consent).where(*given))
    for one in session.scalars(select(Assessment).where(its_answers)):
        if _key(settings.secret, one, lead) == key:
            if one.lead_id == lead.id:
                one.lead_id = None
            unshare(one)  # a stranger has the link
    session.delete(event)
    session.flush()
    is_left = _has_other_traces(session, lead)
    if not is_left:
        session.execute(delete(OutboxMessage).where(OutboxMessage.lead_id == lead.id))
        session.execute(delete(Lead).where(Lead.id == lead.id))
    log.info("a submission was disowned", extra={"lead_erased": not is_left})


def _has_other_traces(session: Session, lead: Lead) -> bool:
    """Say whether the visitor did anything else, which would have left an event."""
    events = session.scalars(select(LeadEvent).where(LeadEvent.lead_id == lead.id))
    return any(event.is_visitors for event in events)


def _key(secret: str, assessment: Assessment, lead: Lead) -> str:
    of_both = f"{assessment.token_hash}:{lead.address}"
    return derived_token(secret, "result", of_both)[:KEY]


def _with_proof(secret: str, key: str) -> str:
    return key + derived_token(secret, "not-me", key)[:KEY]
