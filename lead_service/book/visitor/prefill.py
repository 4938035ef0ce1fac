"""A link to the times that fills in what we know of a lead, for the team to use or send.

It holds the lead's number and a signature, so no log that keeps addresses learns a name.
"""

import hmac
from dataclasses import asdict

from sqlalchemy.orm import Session

from ...leads.models import Lead
from ...settings import Settings
from ...web.tokens import derived_token
from . import query_params


def prefill_link(settings: Settings, lead: Lead) -> str:
    """Return the link for one lead."""
    return settings.link(f"/book/{query_params.query({'for': _token(settings, lead.id)})}")


def find_prefill(session: Session, settings: Settings, token: str) -> dict[str, str]:
    """Return the fields that a link fills in; empty when it is not one of ours."""
    number = token.partition("-")[0]
    if not (number.isascii() and number.isdecimal()) or len(number) > 9:
        return {}
    if not hmac.compare_digest(_token(settings, int(number)).encode(), token.encode()):
        return {}
    lead = session.get(Lead, int(number))
    return asdict(lead.details) if lead else {}


def _token(settings: Settings, lead_id: int) -> str:
    return f"{lead_id}-{derived_token(settings.secret, 'prefill', str(lead_id))[:32]}"
