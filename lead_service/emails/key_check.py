"""Ask the provider for the API key's permissions, before an email fails for lack of one."""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ..settings import Settings
from . import provider_erasure
from .transports.base import Temporary
from .transports.sendgrid import ERASING, SENDING, SendGrid

SECONDS = 10


def check_key(settings: Settings) -> tuple[str | None, datetime | None]:
    """Return the key's fault or None, and the provider's time if it is known."""
    try:
        answer = SendGrid(settings, seconds=SECONDS).ask("GET", "/v3/scopes")
    except Temporary as silence:
        return f"SENDGRID_HOST: {silence.reason}", None
    if answer.status != 200:
        wrong = answer.status in {401, 403}
        said = "is refused by the provider" if wrong else f"the provider answers {answer.status}"
        return f"SENDGRID_API_KEY: {said}", None
    try:
        scopes = json.loads(answer.body)["scopes"]
    except (ValueError, KeyError, TypeError):
        return "SENDGRID_HOST: the provider sent an invalid response", None
    return _missing(settings, scopes), _date(answer.headers.get("Date", ""))


def _missing(settings: Settings, scopes: list[str]) -> str | None:
    if SENDING not in scopes:
        return f"SENDGRID_API_KEY: lacks the right to send ({SENDING})"
    if ERASING not in scopes and provider_erasure.are_asked_for(settings):
        return f"SENDGRID_API_KEY: lacks the right to erase an address ({ERASING})"
    return None


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
