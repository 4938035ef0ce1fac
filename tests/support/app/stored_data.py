"""Read the database's content by table, for tests of stored and erased data."""

from datetime import datetime

from sqlalchemy import String, Text, select, update
from sqlalchemy.orm import Session
from sqlalchemy.types import JSON

from lead_service.db.base import Base
from lead_service.leads import capture, contact_details, models


def kept(session: Session, *, at: datetime, quarantine=False, **details: str) -> models.Lead:
    """Capture the lead of a form, and return it."""
    told = contact_details.ContactDetails(**details)
    return capture.capture_lead(session, told, at=at, quarantine=quarantine)


def confirm_ticks(database) -> None:
    """Mark every consent as confirmed from its mailbox."""
    ticked = update(models.Consent).values(is_proved=True)
    database.write(lambda session: session.execute(ticked) and None)


def everything(database) -> dict[str, list]:
    """Return every row of every table."""
    with database.read() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table))]
            for table in Base.metadata.sorted_tables
        }


def mentions(database, *texts: str) -> list[str]:
    """Return the text columns that contain one of the texts."""
    found = []
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, (String, Text, JSON)):
                    held = " ".join(str(value) for value in session.scalars(select(column)))
                    if any(text.lower() in held.lower() for text in texts):
                        found.append(str(column))
    return found
