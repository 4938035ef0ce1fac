"""Made-up data shows one of everything, sends nothing, and can be removed without a trace."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from lead_service import clock
from lead_service.accounts.members import Member
from lead_service.assess import diagnosis
from lead_service.assess.models import Assessment
from lead_service.book.hosts.models import Host
from lead_service.book.models import Booking, CallOutcome
from lead_service.db.base import Base
from lead_service.emails.message import EmailKind
from lead_service.emails.models import Delivery, EmailState, OutboxMessage
from lead_service.funnel import counts
from lead_service.funnel.archived_counts import counts_between
from lead_service.leads import capture, events
from lead_service.leads.contact_details import ContactDetails
from lead_service.leads.models import EventKind, Lead, LeadEvent, Stage
from lead_service.ops import demo
from lead_service.privacy import retention
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import sign_in
from tests.support.app.outbox_helper import FakeTransport, OutboxHelper
from tests.support.app.visitor_forms import VISITOR, assess, book

LINE = "This desk shows made-up data."
# Done only by the owner of a mailbox or a result page, which made-up people have not.
# Done only by mistake or in bad faith.
LEFT_OUT = {
    *(EventKind.COMBINED, EventKind.MARKED_AS_SPAM),
    EventKind.ANSWERS_TAKEN_BACK,
    *(EventKind.ADDRESS_CONFIRMED, EventKind.ADDRESS_DISOWNED),
    EventKind.CONSENT_WITHDRAWN,
}


def rows(database) -> dict[str, int]:
    with database.read() as session:
        tables = Base.metadata.sorted_tables
        return {one.name: session.scalar(select(func.count()).select_from(one)) for one in tables}


def every(database, column) -> set:
    with database.read() as session:
        return set(session.scalars(select(column).distinct()))


def remove(database) -> dict[str, int]:
    return database.write(lambda session: demo.remove(session, clock.now()))


def test_it_shows_one_of_everything(filled, framework):
    assert every(filled, LeadEvent.kind) == set(EventKind) - LEFT_OUT
    assert every(filled, OutboxMessage.kind) == set(EmailKind) - {
        EmailKind.ALARM,
        EmailKind.BOOKING_REQUESTED,  # no kind of call here needs the team's confirmation
        EmailKind.CALL_COLLIDES,
        EmailKind.FLOOD,
    }
    assert every(filled, OutboxMessage.state) == set(EmailState)
    assert every(filled, OutboxMessage.delivery) == set(Delivery)
    assert every(filled, Lead.stage) == set(Stage)
    assert every(filled, Booking.outcome) == {*CallOutcome, None}
    assert every(filled, Booking.quarantine) == {True, False}
    assert len(every(filled, Booking.host_zone)) == 3
    with filled.read() as session:
        finished = select(Assessment.answers).where(Assessment.completed_at.is_not(None))
        found = [diagnosis.diagnose(framework, given) for given in session.scalars(finished)]
        last = counts.monday(MONDAY_MORNING.date()) - timedelta(weeks=1)
        numbers = counts_between(session, last - timedelta(weeks=7), last)
        weeks = {key.week for key in numbers if key.what == "started"}
    assert {one.begin_with for one in found} == {*framework.steps, None}
    assert len(weeks) == 8


@pytest.mark.long
def test_a_second_time_changes_nothing_and_removing_leaves_no_trace(context, database, at):
    before = rows(database)
    assert demo.fill(context, MONDAY_MORNING) is None
    filled = rows(database)
    assert demo.fill(context, MONDAY_MORNING + timedelta(days=1)) == MONDAY_MORNING
    assert rows(database) == filled
    later = MONDAY_MORNING + timedelta(days=60)
    retention.erase(database, context.settings, later)
    assert remove(database)
    assert rows(database) == before
    assert remove(database) == {}


def test_the_desk_says_so_until_the_data_is_removed(filled, client, settings):
    sign_in(client, filled, settings, settings.sales_to[0])
    assert LINE in client.get("/desk/").text
    remove(filled)
    assert LINE not in client.get("/desk/").text


def test_removing_made_up_data_leaves_real_data(filled, client, framework):
    counted = rows(filled)
    book(client, assessment=assess(client, framework).split("/")[2])
    real = {name: number - counted[name] for name, number in rows(filled).items()}

    def mix(session) -> None:
        """Give the real call to a made-up host, and the lead to a made-up member."""
        call = session.scalars(select(Booking).where(Booking.email == VISITOR["email"])).one()
        call.host = session.scalars(select(Host).where(Host.name == "Nora Field")).one()
        lead, member = call.lead, session.scalars(select(Member)).first()
        lead.owner_id = member.id
        events.add_note(session, lead, member.id, "Call back", MONDAY_MORNING)

    filled.write(mix)
    remove(filled)
    stays = {"host": 2, "opening_hours": 10, "member": 1, "note": 1, "framework_version": 1}
    assert rows(filled) == {name: n + stays.get(name, 0) for name, n in real.items()}
    with filled.read() as session:
        call = session.scalars(select(Booking)).one()
        assert (call.host.is_active, call.lead.owner_id) == (False, None)
        assert session.scalars(select(Member)).one().removed_at


def test_no_email_leaves_for_it(filled):
    post, transport = OutboxHelper(filled), FakeTransport()
    post.put("real", at=MONDAY_MORNING)
    for days in range(15):
        post.drain(transport, MONDAY_MORNING + timedelta(days=days))
    assert transport.tried == ["real"]
    assert not {"pending", "sending"} & every(filled, OutboxMessage.state)


def test_it_is_refused_where_visitors_come_or_its_people_are_known(context, database, at):
    elsewhere = context.settings.model_copy(update={"public_url": "https://advisory.example/"})
    with pytest.raises(demo.NoDemo, match="PUBLIC_URL"):
        demo.set_up(elsewhere, MONDAY_MORNING)
    email = "Dana.Whitfield@example.com"
    database.write(
        lambda session: capture.capture_lead(
            session, ContactDetails(email=email), at=MONDAY_MORNING
        )
    )
    before = rows(database)
    with pytest.raises(demo.NoDemo, match="is in use here"):
        demo.fill(context, MONDAY_MORNING)
    assert rows(database) == before
