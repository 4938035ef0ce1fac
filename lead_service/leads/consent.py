"""What people are asked when they leave their address, and the proof of their answer."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert
from sqlalchemy.orm import Session

from .capture import Captured
from .models import Consent

INSERT = insert(Consent.__table__).inline()


class Question(NamedTuple):
    """The words beside a checkbox. Whoever changes them gives them a new version."""

    version: str  # what `Consent.wording` stores
    text: str


# Keep those that were asked once: consents that are stored name them.
SERVICES = Question("2026-11", "You may also write to me about your services now and then.")
RESULT = Question("2026-11-result", "You may write to me about this result.")


def record_consent(
    session: Session,
    lead: Captured,
    asked: Question,
    *,
    may_contact: bool,
    source: str,
    at: datetime,
) -> None:
    """Store the proof of what was asked and answered."""
    values = {"lead_id": lead.id, "wording": asked.version, "source": source, "at": at}
    session.connection().execute(INSERT, values | {"may_contact": may_contact})
