"""A folder as a transport: what would have been sent lies there as `.eml` files.

It stands in for the provider while there is no key. The files open in any mail program.
"""

import os
import tempfile
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from pathlib import Path

from ... import clock
from ...settings import Settings
from ..message import Attachment, Message
from .base import AUTOMATIC, Accepted, Permanent, Temporary, wire_address


class Folder:
    """Writes each mail to `settings.mail_folder`, readable by its owner alone."""

    fingerprint = "folder"

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.mail_folder
        self._sender = (settings.mail_from, settings.practice_name)

    def send(self, message: Message, outbox_id: str) -> Accepted:
        """Write the mail; the same `outbox_id` again replaces its file.

        Raises Permanent for a mail that cannot be written as one, Temporary for a folder that
        takes no file.
        """
        try:
            content = self._written(message, outbox_id)
        except Exception as error:
            raise Permanent(f"no mail can be made of it ({type(error).__name__})") from None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _replace(self._path(message.kind, outbox_id), content)
        except OSError as error:
            raise Temporary(f"the mail folder cannot be written ({type(error).__name__})") from None
        return Accepted(None)

    def _path(self, kind: str, outbox_id: str) -> Path:
        for written in self._folder.glob(f"*-{outbox_id}.eml"):
            return written
        return self._folder / f"{clock.now():%Y%m%dT%H%M%SZ}-{kind}-{outbox_id}.eml"

    def _written(self, message: Message, outbox_id: str) -> bytes:
        # A local part beyond ASCII has no other form (RFC 6532); all else is encoded.
        people = wire_address(message.to) + wire_address(message.reply_to or "")
        mail = EmailMessage(policy=SMTP if people.isascii() else SMTPUTF8)
        mail["From"] = _person(*self._sender)
        mail["To"] = _person(message.to, message.to_name)
        if message.reply_to:
            mail["Reply-To"] = _person(message.reply_to, message.reply_to_name)
        mail["Subject"] = message.subject
        mail["Date"] = clock.now()
        mail["Message-ID"] = f"<{outbox_id}@{wire_address(self._sender[0]).rpartition('@')[2]}>"
        for name, value in AUTOMATIC.items():
            mail[name] = value
        mail.set_content(message.text)
        mail.add_alternative(message.html, subtype="html")
        for attachment in message.attachments:
            _attach(mail, attachment)
        return mail.as_bytes()


def _person(address: str, name: str) -> Address:
    local, _, domain = wire_address(address).rpartition("@")
    # In parts, because `addr_spec` refuses a local part beyond ASCII.
    return Address(display_name=name, username=local, domain=domain)


def _attach(mail: EmailMessage, attachment: Attachment) -> None:
    """Add a file; an invitation is one more form of the same mail, as calendars expect it."""
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


def _replace(path: Path, content: bytes) -> None:
    """Write the file whole or not at all; mkstemp makes it with mode 0600."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
