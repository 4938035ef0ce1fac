"""The wording's data for mails of the assessment; nothing is sent here."""

from ..emails import practice_context
from ..emails.message import EmailKind, Message, compose
from ..settings import Settings


def result(settings: Settings, email: str, link: str, not_me: str) -> Message:
    """Compose the mail with a result's link, and no answers: anyone can type any address.

    `not_me` is the link by which a stranger to it all takes the address back.
    """
    context = practice_context(settings)
    return compose(EmailKind.RESULT, to=email, link=link, not_me=not_me, **context)
