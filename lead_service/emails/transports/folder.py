"""Write emails to a folder as `.eml` files instead of sending them.

Used while no provider and no mail server is set. Any email program opens the files.
"""

import os
import tempfile
from pathlib import Path

from ... import clock
from ...settings import Settings
from ..message import Message
from .base import Accepted, Permanent, Temporary
from .mime import mime_message


class Folder:
    """Writes each email to `settings.mail_folder`, readable by its owner alone."""

    fingerprint = "folder"

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.mail_folder
        self._sender = (settings.mail_from, settings.practice_name)

    def send(self, message: Message, outbox_id: str) -> Accepted:
        """Write the email; the same `outbox_id` again replaces its file.

        Raises Permanent for an email that has no MIME form, Temporary for a folder that
        can't be written.
        """
        try:
            content = mime_message(message, outbox_id, self._sender).as_bytes()
        except Exception as error:
            raise Permanent(f"it is not a valid email ({type(error).__name__})") from None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _replace(self._path(message.kind, outbox_id), content)
        except OSError as error:
            raise Temporary(
                f"the email folder cannot be written to ({type(error).__name__})"
            ) from None
        return Accepted(None)

    def _path(self, kind: str, outbox_id: str) -> Path:
        for written in self._folder.glob(f"*-{outbox_id}.eml"):
            return written
        return self._folder / f"{clock.now():%Y%m%dT%H%M%SZ}-{kind}-{outbox_id}.eml"


def _replace(path: Path, content: bytes) -> None:
    """Replace the file atomically; mkstemp gives it mode 0600."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
