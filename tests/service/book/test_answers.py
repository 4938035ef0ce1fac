"""Answers attached to bookings by links that people forward."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from lead_service.assess.models import Assessment
from lead_service.book.models import Booking
from lead_service.leads.models import EventKind, Lead
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.visitor_forms import VISITOR, assess, book, reference

MINUTE = timedelta(minutes=1)
JANE, THIRD = "jane@example.com", "third@example.org"
NOTE = "get your answers from the self-assessment"


@pytest.fixture
def later(at):
    """Let time pass."""
    passed = [MONDAY_MORNING]

    def wait(time: timedelta = MINUTE) -> None:
        passed.append(passed[-1] + time)
        at(passed[-1])

    return wait


def owner(database) -> str | None:
    """Return the address that has the answers; check that only its latest call has them."""
    with database.read() as session:
        (answers,) = session.scalars(select(Assessment))
        calls = session.scalars(select(Booking).where(Booking.assessment_id == answers.id)).all()
        assert {call.lead_id for call in calls} <= {answers.lead_id}
        return answers.lead_id and session.get_one(Lead, answers.lead_id).email


def test_the_owner_gets_answers_back_from_the_user_of_a_forwarded_link(
    client, framework, database, later, mails
):
    result = assess(client, framework)
    forwarded = reference(client, result)
    later()
    page = book(client, email=THIRD, assessment=forwarded)
    assert owner(database) == THIRD
    later()
    own = reference(client, result)
    later()
    book(client, email=JANE, assessment=own)
    assert owner(database) == JANE
    with database.read() as session:
        third = session.scalars(select(Lead).where(Lead.email == THIRD)).one()
        assert EventKind.ANSWERS_TAKEN_BACK in [event.kind for event in third.events]
    for again in (forwarded, own):  # both are older than Jane's booking
        later()
        book(client, email=THIRD, assessment=again)
        assert owner(database) == JANE
    later()
    # Even by the forwarded link, from her own page that was open all the time.
    opened = client.get(f"/book/?assessment={own}", headers={"Referer": f"https://site{result}"})
    fresh = re.search(r"assessment=([0-9a-f-]+)", opened.text)
    assert fresh
    later()
    book(client, email="work@example.com", assessment=fresh[1])
    assert owner(database) == "work@example.com"
    assert "We have your self-assessment answers" not in client.get(page).text
    told = [row.lead_id for row, mail in mails() if "Begin with Assess" in mail.text]
    assert told and third.id not in told


def test_answers_follow_their_owner_from_a_mistyped_address(client, framework, database, later):
    result = assess(client, framework)
    book(client, email="tess@exmaple.com", assessment=reference(client, result))
    later()
    own = {"assessment": reference(client, result)}
    assert "same email address" not in client.get("/contact/", query_string=own).text
    later()
    client.post("/contact/", data=VISITOR | own | {"submission": "x" * 20, "email": JANE})
    assert owner(database) == JANE


@pytest.mark.parametrize(
    ("age", "is_given"), [(timedelta(hours=24), True), (timedelta(hours=24) + MINUTE, False)]
)
def test_a_reference_brings_new_answers_for_a_day(
    client, framework, database, later, age, is_given
):
    answers = reference(client, assess(client, framework))
    declined = book(client, email=JANE, assessment=answers, without_answers="y")
    assert answers not in client.get(declined).text and owner(database) is None
    later(age)
    assert (NOTE in client.get("/contact/", query_string={"assessment": answers}).text) is is_given
    book(client, email=THIRD, assessment=answers)
    assert owner(database) == (THIRD if is_given else None)


def test_a_reference_of_any_age_works_for_the_address_that_has_the_answers(
    client, framework, database, later
):
    answers = reference(client, assess(client, framework))
    later()
    first = book(client, email=JANE, assessment=answers)
    (undated,) = set(re.findall(r"/book/\?assessment=([0-9a-f-]+)", client.get(first).text))
    later(timedelta(days=3))
    for known in (answers, undated):
        page = book(client, email=JANE, assessment=known)
        assert "We have your self-assessment answers" in client.get(page).text
        book(client, email=THIRD, assessment=known)
        assert owner(database) == JANE


def test_the_time_in_a_reference_cannot_be_forged(client, framework, database, later):
    answers = reference(client, assess(client, framework))
    later(timedelta(days=2))
    number, made, proof = answers.split("-")
    for forged in (f"{number}-{int(made, 16) + 2 * 86400:08x}-{proof}", f"{number}-{proof}"):
        assert NOTE not in client.get("/contact/", query_string={"assessment": forged}).text
        book(client, email=THIRD, assessment=forged)
        assert owner(database) is None
