"""Tell the sales team about a lead: one email to each of them.

A reply goes to the lead, where the lead may be written to.
"""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from ..leads.capture import Captured
from ..leads.consent import Occasion, Permission, agreed, permission
from ..leads.models import Lead
from ..settings import Settings
from . import outbox, practice_context
from .message import Draft, EmailKind, Message, compose


def notify(
    session: Session,
    settings: Settings,
    lead: Lead | Captured,
    what: str,
    at: datetime,
    *,
    occasion: Occasion,
    key: str,
    text: str = "",
    brief: Any = None,
    article: str = "",
    call: str = "",
    exclude: str = "",
) -> None:
    """Email everyone in SALES_TO about what a lead did; `key` names the occasion, once.

    `what` says in a few words what the lead did, and `occasion` what that allows; the consent of
    the same form has to be kept before. `call` says when the call is, `article` is the title of
    the one that led here, and `exclude` an address that gets an email of its own about this.
    """
    allowed = permission(occasion, agreed(session, lead.id))
    shown = {name: getattr(lead, name) for name in ("name", "email", "company", "phone")}
    context = practice_context(settings) | {
        **reply_fields(allowed, lead.email, lead.name),
        "lead": shown,
        "what": what,
        "text": text,
        "brief": brief,
        "article": article,
        "call": call,
        "link": settings.link(f"/desk/leads/{lead.id}/"),
    }
    for number, recipient in enumerate(settings.sales_to):
        if recipient.lower() == exclude.lower():
            continue
        message = _mail(recipient, context)
        outbox.queue(session, message, at=at, lead_id=lead.id, dedupe_key=f"team:{key}:{number}")


def reply_fields(allowed: Permission, email: str, name: str) -> dict[str, Any]:
    """Return what an email to the team needs to say whether its reader may reply to a person."""
    return {
        "reply_to": email if allowed.may_write else None,
        "reply_to_name": name if allowed.may_write else "",
        "permission": allowed.text,
        "may_write": allowed.may_write,
    }


def _mail(recipient: str, context: dict[str, Any]) -> Message | Draft:
    """Leave it a draft; but a brief is made of the framework's objects, which JSON cannot hold."""
    if context["brief"] is None:
        return Draft(EmailKind.NEW_LEAD, recipient, context)
    return compose(EmailKind.NEW_LEAD, to=recipient, **context)
