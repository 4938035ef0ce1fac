"""What the backups of both engines have in common."""

from dataclasses import dataclass


class BackupError(Exception):
    """Why a backup or restore failed, in one line without personal data."""


@dataclass(frozen=True)
class Contents:
    """Row counts of a backup."""

    leads: int
    mails: int
    erased_again: int = 0  # people who were erased after the backup, at a restore
    waiting: int = 0  # emails that are held for review after a restore

    def __str__(self) -> str:
        said = f"leads: {self.leads}, emails: {self.mails}"
        said += f"; erased again since: {self.erased_again}" if self.erased_again else ""
        if not self.waiting:
            return said
        return f"{said}\nemails held: {self.waiting}; send or cancel them on the desk"
