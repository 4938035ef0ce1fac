"""Mailing a result: the lead of the address, its consent, and the mail that carries the link."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .. import leads, team
from ..emails import outbox
from ..emails.models import OutboxMessage
from ..settings import Settings
from . import emails
from .forms import MailForm
from .models import Assessment

CONSENT_WORDING = "2026-11-result"  # raise it with every change of the words in forms.MailForm
MAILS_A_DAY = 3  # to one address: anybody can type anybody's


def send_result(
    session: Session,
    settings: Settings,
    assessment: Assessment,
    form: MailForm,
    link: str,
    now: datetime,
) -> None:
    """Make or extend the lead and queue the mail; sending the same form twice changes nothing."""
    email, suspect = form.email.data or "", form.is_suspect
    lead, is_new = leads.capture(session, email=email, at=now, quarantine=suspect)
    key = f"result:{assessment.id}:{lead.id}"
    if session.scalar(select(OutboxMessage.id).where(OutboxMessage.dedupe_key == key)):
        return
    assessment.lead_id = assessment.lead_id or lead.id
    leads.record(session, lead, "result_mailed", now, assessment=assessment.id)
    leads.record_consent(
        session,
        lead,
        wording=CONSENT_WORDING,
        may_contact=bool(form.may_contact.data),
        source="result",
        at=now,
    )
    if _mailed_today(session, lead, now) < MAILS_A_DAY:
        message = emails.result(settings, email, link)
        outbox.queue(
            session, message, at=now, lead_id=lead.id, dedupe_key=key, held=lead.quarantine
        )
    if is_new and not suspect:
        came_from = assessment.came_from
        what = "took the self-assessment and had the result mailed"
        team.tell(session, settings, lead, what, now, key=key, came_from=came_from)


def _mailed_today(session: Session, lead: leads.Lead, now: datetime) -> int:
    query = select(func.count()).where(
        OutboxMessage.lead_id == lead.id,
        OutboxMessage.kind == "result",
        OutboxMessage.created_at > now - timedelta(days=1),
    )
    return session.scalar(query) or 0
