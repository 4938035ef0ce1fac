"""List the backups in BACKUP_DIR, with the day on which each will be deleted."""

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..settings import Settings

FILE_NAME = "lead_service-%Y%m%dT%H%M%SZ.backup"


@dataclasses.dataclass(frozen=True)
class BackupFile:
    """A backup in BACKUP_DIR: its creation, and the day of its deletion."""

    path: Path
    made_at: datetime
    until: datetime


def list_backups(settings: Settings) -> list[BackupFile]:
    """List the backups in BACKUP_DIR, oldest first."""
    found = []
    for path in settings.backup_dir.glob("lead_service-*.backup") if settings.backup_dir else ():
        try:
            made_at = datetime.strptime(path.name, FILE_NAME).replace(tzinfo=UTC)
        except ValueError:
            continue  # not a backup
        found.append(BackupFile(path, made_at, made_at + timedelta(days=settings.backup_days)))
    return sorted(found, key=lambda copy: copy.made_at)
