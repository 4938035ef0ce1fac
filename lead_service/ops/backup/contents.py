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
    waiting: int = 0  # emails that are held for review after a restore

    def __str__(self) -> str:
        said = f"{self.leads} leads, {self.mails} emails"
        said += f"; erased again since: {self.erased_again}" if self.erased_again else ""
        if not self.waiting:
            return said
        one = self.waiting == 1
        return (
            f"{said}\n{self.waiting} {'email that was' if one else 'emails that were'} waiting"
            f" {'is' if one else 'are'} held; send or cancel {'it' if one else 'them'} on the desk"
        )
