"""Serialize an email for email programs and servers (RFC 5322, MIME)."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

from ... import clock
from ..message import Attachment, Message
from .base import extra_headers, header_text, wire_address


def mime_message(message: Message, outbox_id: str, sender: tuple[str, str]) -> EmailMessage:
    """Return the email from `sender`, an address and a name.

    The Message-ID contains `outbox_id`, so that programs can show a repeated email once.
    Raises ValueError for an invalid address or header.
    """
    # A non-ASCII local part needs RFC 6532; everything else is encoded, bodies too.
    people = wire_address(message.to) + wire_address(message.reply_to or "")
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit") if people.isascii() else SMTPUTF8)
    mail["From"] = _person(*sender)
    mail["To"] = _person(message.to, message.to_name)
    if message.reply_to:
        mail["Reply-To"] = _person(message.reply_to, message.reply_to_name)
    mail["Subject"] = header_text(message.subject)
    mail["Date"] = clock.now()
    mail["Message-ID"] = f"<{outbox_id}@{wire_address(sender[0]).rpartition('@')[2]}>"
    for name, value in extra_headers(message).items():
        mail[name] = value
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    for attachment in message.attachments:
        _attach(mail, attachment)
    return mail


def _person(address: str, name: str) -> Address:
    local, _, domain = wire_address(address).rpartition("@")
    # In parts, because `addr_spec` refuses quoted and non-ASCII local parts.
    return Address(display_name=header_text(name), username=local, domain=domain)


def _attach(mail: EmailMessage, attachment: Attachment) -> None:
    """Attach a file; an invitation becomes an alternative body, as calendars expect."""
    kind, *parameters = attachment.content_type.split(";")
    maintype, _, subtype = kind.partition("/")
    add = mail.add_alternative if kind == "text/calendar" else mail.add_attachment
    add(
        attachment.content,
        maintype=maintype,
        subtype=subtype,
        params=dict(parameter.split("=", 1) for parameter in parameters),
        disposition="attachment",
        filename=attachment.filename,
    )
