"""The wording's data for mails of the assessment; nothing is sent here."""

from ..emails import practice_context
from ..emails.message import Message, compose
from ..settings import Settings


def result(settings: Settings, email: str, link: str) -> Message:
    """Compose the mail with a result's link, and no answers: anyone can type any address."""
    return compose("result", to=email, link=link, **practice_context(settings))
