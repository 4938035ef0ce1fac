"""What the database holds, table by table: for tests that something is, or is no longer, there."""

from datetime import datetime

from sqlalchemy import String, Text, select, update
from sqlalchemy.orm import Session
from sqlalchemy.types import JSON

from lead_service.db import schema
from lead_service.leads import capture, contact_details, models


def kept(session: Session, *, at: datetime, quarantine=False, **details: str) -> models.Lead:
    """Capture what a form holds, and return the lead that it made or found."""
    told = contact_details.ContactDetails(**details)
    return capture.capture_lead(session, told, at=at, quarantine=quarantine)


def confirm_ticks(database) -> None:
    """Let every tick count, as if its mailbox had confirmed it."""
    ticked = update(models.Consent).values(is_proved=True)
    database.write(lambda session: session.execute(ticked) and None)


def everything(database) -> dict[str, list]:
    """Return every row of every table."""
    with database.read() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table))]
            for table in schema.tables().sorted_tables
        }


def mentions(database, *texts: str) -> list[str]:
    """Name the columns, of all that hold text, in which one of the texts stands."""
    found = []
    with database.read() as session:
        for table in schema.tables().sorted_tables:
            for column in table.columns:
                if isinstance(column.type, (String, Text, JSON)):
                    held = " ".join(str(value) for value in session.scalars(select(column)))
                    if any(text.lower() in held.lower() for text in texts):
                        found.append(str(column))
    return found
