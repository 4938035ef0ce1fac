"""Forms submitted faster than people type: suspected and held, never lost."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from lead_service.leads.models import Lead
from lead_service.web.security import FASTEST_SECONDS
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import press, sign_in
from tests.support.app.visitor_forms import VISITOR, assess, book, booking_form, hidden, open_starts

ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}
A_SECOND = timedelta(seconds=1)
AT_LEISURE = timedelta(seconds=FASTEST_SECONDS)


@pytest.fixture(params=["/contact/", "/book/", "/assessment/"])
def form(request, client, framework, at) -> tuple[str, dict[str, str]]:
    """Each public form: its address, and its fields filled in."""
    if request.param == "/book/":
        start = open_starts(client)[-1]  # the first is so near that it closes within the second
        shown = hidden(client.get(f"/book/{start}/").text, "shown")
        return "/book/", booking_form(client, start, shown=shown)
    if request.param == "/contact/":
        page = client.get("/contact/").text
        fields = {name: hidden(page, name) for name in ("submission", "shown")}
        return "/contact/", VISITOR | fields
    result = assess(client, framework)
    shown = hidden(client.get(result + "save/").text, "shown")
    return f"{result}mail", {"email": VISITOR["email"], "shown": shown}


def is_held(client, database, form, network=ELSEWHERE, **changes: str) -> bool:
    """Send a form; say whether its lead is suspected. The lead is stored in either case."""
    address, fields = form
    sent = client.post(address, data=fields | changes, environ_base=network)
    assert sent.status_code == 303, sent.text
    with database.read() as session:
        return session.scalars(select(Lead)).one().quarantine


def test_a_form_sent_too_fast_is_held_and_the_team_is_told(client, database, form, mails, at):
    at(MONDAY_MORNING + A_SECOND)
    assert is_held(client, database, form)
    to_visitor = [row.state for row, _ in mails() if row.address == VISITOR["email"]]
    assert set(to_visitor) <= {"held"}
    to_team = [message for row, message in mails() if row.state == "pending"]
    assert to_team and all("ossible spam" in one.subject + one.text for one in to_team)


def test_a_form_filled_in_by_a_person_is_not_suspected(client, database, form, at):
    at(MONDAY_MORNING + AT_LEISURE)
    assert not is_held(client, database, form)


@pytest.fixture
def contact(client, at) -> tuple[str, dict[str, str]]:
    page = client.get("/contact/").text
    return "/contact/", VISITOR | {name: hidden(page, name) for name in ("submission", "shown")}


@pytest.mark.parametrize("pause", [timedelta(days=400), -A_SECOND, -timedelta(hours=1)])
def test_neither_a_page_kept_for_long_nor_a_clock_set_back_is_suspected(
    client, database, contact, at, pause
):
    at(MONDAY_MORNING + pause)
    assert not is_held(client, database, contact)


@pytest.mark.parametrize(
    "shown", ["", "1795424400", "1795424400.forged", "x" * 4000, "\u0663.\u00e4", "."]
)
def test_a_moment_that_is_missing_or_forged_is_not_suspected(client, database, contact, shown):
    assert not is_held(client, database, contact, shown=shown)


def test_a_page_from_before_the_moment_was_written_works(client, database, contact):
    address, fields = contact
    del fields["shown"]
    assert not is_held(client, database, (address, fields))
    again = client.post(address, data=fields | {"email": ""}, environ_base=ELSEWHERE)
    assert again.status_code == 422
    assert 'type="hidden" name="shown" value=""' in again.text


def test_a_form_that_is_shown_again_keeps_its_first_time(client, database, contact, at):
    address, fields = contact
    at(MONDAY_MORNING + AT_LEISURE)
    again = client.post(address, data=fields | {"email": ""}, environ_base=ELSEWHERE)
    assert hidden(again.text, "shown") == fields["shown"]
    assert not is_held(client, database, (address, fields))


def test_this_machine_is_not_suspected(client, database, form):
    assert not is_held(client, database, form, network={"REMOTE_ADDR": "127.0.0.1"})


def test_a_form_after_a_suspected_one_is_judged_separately(
    client, database, contact, framework, mails, at
):
    assert is_held(client, database, contact)
    at(MONDAY_MORNING + AT_LEISURE)
    client.post(assess(client, framework) + "mail", data={"email": VISITOR["email"]})
    book(client)
    to_visitor = [row.state for row, _ in mails() if row.address == VISITOR["email"]]
    assert len(to_visitor) > 2 and to_visitor[0] == "held"
    assert set(to_visitor[1:]) == {"pending"}


def test_held_calls_of_a_known_lead_are_shown_and_can_be_released(
    client, database, settings, contact, framework, mails, at
):
    at(MONDAY_MORNING + AT_LEISURE)
    assert not is_held(client, database, contact)
    client.post(
        assess(client, framework) + "mail", data={"email": VISITOR["email"], "website": "x"}
    )
    sign_in(client, database, settings)
    assert VISITOR["name"] in client.get("/desk/?view=suspected").text
    press(client, "/desk/leads/1/", "/desk/leads/1/release")
    assert "held" not in {row.state for row, _ in mails()}
    assert VISITOR["name"] not in client.get("/desk/?view=suspected").text
