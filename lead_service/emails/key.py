"""Asking the provider what the key may do, before a mail finds out."""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ..settings import Settings
from .sendgrid import SendGrid
from .wire import Attempt, Refused

SECONDS = 10
SENDING = "mail.send"  # the scope that a key needs, and the only one


def trouble(settings: Settings) -> tuple[str | None, datetime | None]:
    """Say what keeps the key from sending, or None; and what time the provider has, if it says."""
    attempt = Attempt()
    client = SendGrid(settings).client(attempt)
    try:
        answer = attempt.run(SECONDS, client.client.scopes.get)
        scopes = json.loads(answer.body)["scopes"]
    except Refused as refusal:
        wrong = refusal.status in {401, 403}
        said = "is refused by the provider" if wrong else f"the provider answers {refusal.status}"
        return f"SENDGRID_API_KEY: {said}", None
    except Exception as error:  # OSError, HTTPException, no JSON, whatever the client lets through
        return f"SENDGRID_HOST: the provider does not answer ({type(error).__name__})", None
    missing = None if SENDING in scopes else f"SENDGRID_API_KEY: may not send ({SENDING})"
    return missing, _date(answer.headers.get("Date", ""))


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
