"""The link in every email to a visitor that identifies the owner of the mailbox.

It is nowhere else, so anyone who opens it has read an email to the lead's address.
"""

import hmac
from typing import Any

from sqlalchemy.orm import Session

from ..db.base import row_id
from ..leads.consent import agreed
from ..leads.models import Lead
from ..settings import Settings
from .tokens import derived_token


def choices(session: Session, settings: Settings, lead: Lead) -> dict[str, Any]:
    """Return the template's values about a visitor's choices in an email."""
    link = settings.link(f"/email/{mailbox_token(settings.secret, lead)}/")
    return {"choices": link, "to_confirm": bool(agreed(session, lead.id).waiting)}


def mailbox_token(secret: str, lead: Lead) -> str:
    """Return the token of a lead's mailbox, which depends on the address."""
    return f"{lead.id}-{derived_token(secret, 'mailbox', f'{lead.id}:{lead.address}')[:32]}"


def find_by_mailbox(session: Session, secret: str, token: str) -> Lead | None:
    """Find the lead of a mailbox token, and lock it."""
    lead = session.get(Lead, row_id(token.partition("-")[0]), with_for_update=True)
    is_theirs = lead and hmac.compare_digest(mailbox_token(secret, lead), token)
    return lead if is_theirs else None
