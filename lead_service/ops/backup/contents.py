"""What both engines say of a copy."""

from dataclasses import dataclass


class BackupError(Exception):
    """What stands in the way, in one line without anybody's data."""


@dataclass(frozen=True)
class Contents:
    """How much a copy holds; a mail is written with its lead, so the two belong together."""

    leads: int
    mails: int
    erased_again: int = 0  # people who were erased after the copy was made, when it is put back

    def __str__(self) -> str:
        said = f"{self.leads} leads, {self.mails} emails"
        return f"{said}; erased again since: {self.erased_again}" if self.erased_again else said
