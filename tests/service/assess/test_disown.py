"""“This was not me”: erase what one submission added, and nothing else."""

import re

import pytest
from sqlalchemy import select, update

from lead_service.assess.models import Assessment
from lead_service.leads import events
from lead_service.leads.models import Consent, Lead, LeadEvent
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.stored_data import everything, mentions
from tests.support.app.visitor_forms import VISITOR, assess, book, hidden

ADA = VISITOR["email"]


@pytest.fixture
def result(client, framework) -> str:
    return assess(client, framework)


def mail(client, result: str, email: str = ADA, **more: str) -> None:
    assert client.post(result + "mail", data={"email": email} | more).status_code == 303


def link(mails, number: int = 0) -> str:
    """Return the path of the link “This was not me” in the email with a result."""
    texts = [message.text for _, message in mails() if message.kind == "result"]
    return re.search(r"http://127\.0\.0\.1:8000(/assessment/not-me/\S+)", texts[number])[1]


def rows(database, *, but: tuple[str, ...] = ()) -> dict[str, list]:
    return {name: held for name, held in everything(database).items() if name not in but}


def test_one_click_erases_the_address_everywhere(client, result, mails, database):
    before = everything(database)
    mail(client, result, may_contact="y")
    path = link(mails)
    assert ADA not in client.get(path).text
    sent = client.post(path)
    assert (sent.status_code, sent.location) == (303, path)
    assert mentions(database, ADA) == []
    assert everything(database) == before  # the answers stay with the stranger
    assert client.get(result).status_code == 200


def test_a_used_link_says_that_nothing_is_left(client, result, mails, database):
    mail(client, result)
    path = link(mails)
    for _ in range(2):
        assert client.post(path).status_code == 303
        page = client.get(path)
        assert page.status_code == 200
        assert "We erased your data" in page.text
        assert "<button" not in page.text


def test_an_invalid_disown_link_is_a_404(client, result, mails, database):
    mail(client, result)
    token = link(mails).split("/")[3]
    for kind in ["never", "another proof", "cut", "longer", "not ascii"]:
        forged = {
            "never": "never",
            "another proof": token[:32] + "0" * 32,
            "cut": token[:32],
            "longer": token + "0",
            "not ascii": token[:-1] + "é",
        }[kind]
        before = everything(database)
        for answer in (
            client.get(f"/assessment/not-me/{forged}/"),
            client.post(f"/assessment/not-me/{forged}/"),
        ):
            assert answer.status_code == 404
            assert answer.text == client.get("/assessment/never/result/").text
        assert everything(database) == before, kind


def test_other_submissions_of_the_address_are_kept(client, result, mails, database):
    token = hidden(client.get("/contact/").text, "submission")
    client.post("/contact/", data=VISITOR | {"submission": token})
    before = rows(database)
    mail(client, result, may_contact="y")
    client.post(link(mails))
    assert rows(database) == before


def test_a_call_booked_since_keeps_the_lead(client, result, mails, database):
    mail(client, result)
    path = link(mails)
    page = book(client)
    client.post(path)
    assert "Your call is booked" in client.get(page).text
    with database.read() as session:
        assert session.scalars(select(LeadEvent.kind)).all() == ["call_booked"]
        assert session.scalars(select(Consent.source)).all() == ["book"]
        assert session.scalars(select(Assessment.lead_id)).all() == [None]
        assert session.scalars(select(Lead.address)).all() == [ADA]


def test_each_of_two_submissions_is_disowned_by_its_own_link(
    client, framework, result, mails, database
):
    mail(client, result)
    mail(client, assess(client, framework))
    first, second = link(mails, 0), link(mails, 1)
    client.post(first)
    assert "Not you?" in client.get(second).text
    assert mentions(database, ADA)
    client.post(second)
    assert mentions(database, ADA) == []


def test_changes_by_the_team_are_erased_with_the_submission(client, result, mails, database):
    mail(client, result, website="x")

    def release(session) -> None:
        lead = session.scalar(select(Lead))
        events.record_event(session, lead, "released", MONDAY_MORNING, member=1)

    database.write(release)
    client.post(link(mails))
    assert mentions(database, ADA) == []


def test_a_corrected_address_is_still_erased(client, result, mails, database):
    """The link's key was made with the address before its correction."""
    mail(client, result)
    path = link(mails)
    moved = update(Lead).values(address="meant@example.com", email="meant@example.com")
    database.write(lambda session: session.execute(moved) and None)
    client.post(path)
    with database.read() as session:
        assert session.scalars(select(LeadEvent.id)).all() == []


def test_a_disowned_address_can_have_a_result_emailed_again(client, result, mails, database):
    mail(client, result)
    client.post(link(mails))
    mail(client, result)
    assert "Not you?" in client.get(link(mails)).text
