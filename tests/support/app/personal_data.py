"""Create every kind of personal data, for tests of privacy and retention."""

from sqlalchemy import select

from lead_service.accounts.audit_log import Actor, AuditKind
from lead_service.desk.team import membership
from lead_service.emails import delivery_events
from lead_service.emails.delivery_events import Event
from lead_service.emails.models import Delivery, OutboxMessage
from lead_service.leads import capture, events
from tests.service.conftest import MONDAY_MORNING

from .visitor_forms import VISITOR, WORST, assess, book, hidden

ADA = VISITOR["email"]


def leave_every_trace(client, framework, database) -> None:
    """Do everything that a visitor can, add a member's note, and let the emails bounce."""
    result = assess(client, framework, WORST)
    sent = client.post(result + "mail", data={"email": ADA, "may_contact": "y"})
    assert sent.status_code == 303
    book(client, assessment=result.split("/")[2])
    write(client, "Ada@EXAMPLE.com", VISITOR["name"])
    database.write(take_down)
    database.write(hear_of_the_mails)


def hear_of_the_mails(session) -> None:
    """Apply a delivery event for every email."""
    ids = session.scalars(select(OutboxMessage.id)).all()
    told = [Event(id, "0" * 64, Delivery.BOUNCED, MONDAY_MORNING, "no such mailbox") for id in ids]
    delivery_events.apply_events(session, told, MONDAY_MORNING)


def take_down(session) -> None:
    """Add a member's note about Ada, with a line in the audit log."""
    lead = capture.find_lead(session, ADA)
    assert lead
    member = membership.add_member(session, "grace@example.com", MONDAY_MORNING)
    events.add_note(session, lead, member.id, f"{VISITOR['name']} decides in May.", MONDAY_MORNING)
    Actor(MONDAY_MORNING, member).note(session, AuditKind.NOTE_ADDED, f"lead {lead.id}")


def write(client, email: str, name: str) -> None:
    form = {"submission": hidden(client.get("/contact/").text, "submission")}
    form |= {"name": name, "email": email, "topic": "Please call back."}
    assert client.post("/contact/", data=form).status_code == 303
