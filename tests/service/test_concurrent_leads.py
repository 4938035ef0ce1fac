"""Two transactions that change one lead on PostgreSQL: neither fails."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from lead_service.book.models import Booking
from lead_service.leads import capture
from lead_service.leads.contact_details import ContactDetails
from lead_service.leads.models import Lead
from lead_service.privacy import retention
from tests.support.app.visitor_forms import VISITOR, book
from tests.support.engines import only_postgresql

from .conftest import MONDAY_MORNING

pytestmark = only_postgresql  # on SQLite, one writes after the other

ADA, EVE = VISITOR["email"], "eve@example.com"


@pytest.fixture
def two_at_once(app, database):
    """PostgreSQL, where transactions run at the same time."""
    return database


def just_before(monkeypatch, name: str, meanwhile) -> None:
    """Run another transaction once, just before a function of `capture` is called."""
    original = getattr(capture, name)

    def met(*given):
        monkeypatch.setattr(capture, name, original)
        meanwhile()
        return original(*given)

    monkeypatch.setattr(capture, name, met)


def test_a_form_during_the_erasure_of_its_address_is_stored(two_at_once, monkeypatch):
    def erase() -> None:
        two_at_once.write(lambda session: session.execute(delete(Lead)))

    def write_to_us() -> int:
        return two_at_once.write(
            lambda one: capture.capture_lead(one, ContactDetails(email=ADA), at=MONDAY_MORNING).id
        )

    first = write_to_us()
    just_before(monkeypatch, "_find", erase)
    again = write_to_us()
    assert again != first


def test_an_address_is_corrected_to_one_that_has_just_written_to_us(
    client, two_at_once, at, monkeypatch
):
    def write() -> None:
        two_at_once.write(
            lambda session: capture.capture_lead(
                session, ContactDetails(email=EVE), at=MONDAY_MORNING
            )
        )

    page = book(client)
    just_before(monkeypatch, "correct_lead_email", write)
    assert client.post(page + "address", data={"email": EVE}).status_code == 303
    with two_at_once.read() as session:
        assert session.scalars(select(Lead.address)).all() == [EVE]
        assert session.scalar(select(func.count()).where(Booking.lead_id == 2)) == 1


def test_a_form_during_a_retention_run_is_stored(two_at_once, settings):
    """A lead old enough to be erased is changed during the run."""

    def write(session) -> None:
        capture.capture_lead(session, ContactDetails(email=ADA, name="Ada"), at=MONDAY_MORNING)

    two_at_once.write(write)
    old = MONDAY_MORNING + timedelta(days=settings.retention_days + 1)

    def write_again(session) -> None:
        capture.capture_lead(session, ContactDetails(email=ADA, name="Ada"), at=old)
        retention.erase(two_at_once, settings, old)

    two_at_once.write(write_again)
    with two_at_once.read() as session:
        assert session.scalar(select(func.count(Lead.id))) == 1
