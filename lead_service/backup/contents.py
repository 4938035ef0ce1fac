"""What both engines say of a copy."""

from dataclasses import dataclass


class BackupError(Exception):
    """What stands in the way, in one line without anybody's data."""


@dataclass(frozen=True)
class Contents:
    """How much a copy holds; a mail is written with its lead, so the two belong together."""

    leads: int
    mails: int

    def __str__(self) -> str:
        return f"{self.leads} leads, {self.mails} mails"
