"""Editing a lead: saved once, shown to everyone, and without overwriting a colleague's change."""

import json
import re
from html import unescape

import pytest
from sqlalchemy import select, update

from lead_service.accounts.members import Member
from lead_service.desk.team import membership
from lead_service.leads import capture
from lead_service.leads.contact_details import ContactDetails
from lead_service.leads.models import Lead, LeadEvent, Note
from tests.service.conftest import MONDAY_MORNING, Browser
from tests.support.app.desk_client import press, sign_in
from tests.support.app.hosts import trail
from tests.support.app.visitor_forms import WORST, answers, begin_phase, book, hidden

ANN, BOB, PAGE = "ann@example.com", "bob@example.com", "/desk/leads/1/"
AS_IT_IS = {
    "stage": "new",
    "owner_id": "",
    "next_action": "",
    "next_action_on": "",
    "name": "Ada Example",
    "company": "",
    "phone": "",
}
AS_IT_IS["seen"] = json.dumps(AS_IT_IS | {"owner_id": None, "next_action_on": None})
NEXT = {"next_action": "Send the summary", "next_action_on": "2026-12-01"}


@pytest.fixture
def ann(client, database, settings, at) -> None:
    """Ann, an admin who is signed in; Ada is a lead, and Bob a member."""
    sign_in(client, database, settings, ANN)

    def work(session) -> None:
        capture.capture_lead(
            session, ContactDetails(email="ada@example.com", name="Ada Example"), at=MONDAY_MORNING
        )
        membership.add_member(session, BOB, MONDAY_MORNING, name="Bob")

    database.write(work)


@pytest.fixture
def bob(app, ann, database, settings) -> Browser:
    """Bob's browser, which is signed in."""
    app.test_client_class = Browser
    browser = app.test_client()
    sign_in(browser, database, settings, BOB)
    return browser


def save(client, **changes: str):
    return press(client, PAGE, PAGE, **(AS_IT_IS | changes))


def lead(database) -> Lead:
    with database.read() as session:
        return session.scalars(select(Lead)).one()


def events(database) -> list[tuple]:
    with database.read() as session:
        rows = session.scalars(select(LeadEvent).order_by(LeadEvent.id)).all()
    return [(row.kind, row.detail) for row in rows]


def test_saved_changes_are_shown_confirmed_and_in_the_audit_log(client, ann, database):
    changes = {"stage": "qualified", "owner_id": "2", "company": "Example Works"} | NEXT
    assert save(client, **changes).location == PAGE
    found = lead(database)
    assert (found.stage, found.owner_id, found.version) == ("qualified", 2, 2)
    text = unescape(client.get(PAGE).text)
    for shown in (
        "Qualified · <bdi>Bob</bdi>",
        "<strong>Tue, Dec 1</strong>: <bdi>Send the summary</bdi>",
        "Changed the stage: New → Qualified",
        "Assigned the lead to <bdi>Bob</bdi>",
        "Changed the next action, for Tue, Dec 1, 2026",
        "Corrected the contact details: company",
        "· <bdi>ann@example.com</bdi>",
    ):
        assert shown in text
    ((member, what, subject, detail),) = trail(database)[1:]
    assert (member, what, subject) == (1, "lead_changed", "lead 1")
    assert detail == {
        "fields": ["stage", "owner_id", "next_action", "next_action_on", "company"],
        **{"from_stage": "new", "to_stage": "qualified", "from_owner": None, "to_owner": 2},
    }
    told = "stage: New → Qualified; owner: no owner → Bob; fields: next action, due date, company"
    assert told in client.get("/desk/trail/").text


def test_saving_nothing_new_changes_nothing(client, ann, database):
    save(client)
    save(client, stage="contacted")
    before = events(database), trail(database)[1:]
    again = save(client, stage="contacted")
    assert again.status_code == 303  # a second click, with the earlier values
    assert (events(database), trail(database)[1:]) == before
    assert lead(database).version == 2


def test_a_stale_save_is_refused_with_both_values_and_keeps_the_writers(client, bob, database):
    token = hidden(bob.get(PAGE).text, "csrf_token")
    save(client, stage="won", next_action="Ann writes", next_action_on="2026-12-02")
    mine = {"csrf_token": token, "stage": "lost", "next_action": "Bob calls"}
    sent = bob.post(PAGE, data=AS_IT_IS | mine | {"next_action_on": "2026-12-03"})
    assert sent.status_code == 409
    assert lead(database).next_action == "Ann writes"
    table = re.search(r"Someone else saved.*?</table>", sent.text, re.S)[0]
    for text in ("Ann writes", "Bob calls", "Won", "Lost", "Dec 2, 2026", "Dec 3, 2026"):
        assert text in table
    assert "Company" not in table
    form = {name: hidden(sent.text, name) for name in ("next_action", "next_action_on", "seen")}
    assert (form["next_action"], form["next_action_on"]) == ("Bob calls", "2026-12-03")
    assert '<option selected value="lost">' in sent.text
    assert bob.post(PAGE, data=AS_IT_IS | mine | form).status_code == 303
    assert (lead(database).next_action, lead(database).stage) == ("Bob calls", "lost")


def opened(browser, **changes: str) -> dict[str, str]:
    """Open the page, and return its form as a browser sends it after a change."""
    text = browser.get(PAGE).text
    return {name: hidden(text, name) for name in ("csrf_token", "seen")} | changes


def test_a_colleagues_changes_of_other_fields_stay(client, bob, database):
    mine = AS_IT_IS | opened(bob, next_action="Bob calls", next_action_on="2026-12-03")
    save(client, stage="won", owner_id="2")
    assert bob.post(PAGE, data=mine).status_code == 303
    found = lead(database)
    assert (found.stage, found.owner_id, found.next_action) == ("won", 2, "Bob calls")


def test_after_a_conflict_the_form_reverts_no_untouched_field(client, bob, database):
    mine = AS_IT_IS | opened(bob, **NEXT)
    save(client, stage="won", next_action="Ann writes", next_action_on=NEXT["next_action_on"])
    sent = bob.post(PAGE, data=mine)
    assert sent.status_code == 409
    table = re.search(r"Someone else saved.*?</table>", sent.text, re.S)[0]
    assert "Ann writes" in table and "Won" not in table and "New" not in table
    assert '<option selected value="won">' in sent.text
    again = {name: hidden(sent.text, name) for name in ("seen", "next_action")}
    assert bob.post(PAGE, data=mine | again | {"stage": "won"}).status_code == 303
    found = lead(database)
    assert (found.stage, found.next_action) == ("won", NEXT["next_action"])


def test_a_due_date_needs_an_action(client, bob, database):
    save(client, **NEXT)
    mine = AS_IT_IS | opened(bob, next_action=NEXT["next_action"], next_action_on="2026-12-24")
    press(client, PAGE, PAGE, **AS_IT_IS | opened(client, **NEXT | {"next_action": "Ask the CFO"}))
    assert bob.post(PAGE, data=mine).status_code == 409


def test_details_that_the_visitor_added_meanwhile_stay(client, ann, database):
    mine = AS_IT_IS | opened(client, stage="contacted")
    book(client)
    assert client.post(PAGE, data=mine).status_code == 303
    found = lead(database)
    assert (found.stage, found.company) == ("contacted", "Example Works")


@pytest.mark.parametrize("seen", ["", "x", "[]", "{}", '{"next_action_on": 7}', "[" * 2000])
def test_a_form_without_its_shown_values_overwrites_nothing(client, bob, database, seen):
    mine = AS_IT_IS | opened(bob, stage="lost") | {"seen": seen}
    save(client, stage="won")
    assert bob.post(PAGE, data=mine).status_code == 409
    assert bob.post(PAGE, data=mine | opened(bob)).status_code == 303


def test_invalid_input_is_reported_beside_the_field_and_kept(client, ann, database):
    for changes, said in [
        ({"stage": "sold"}, "Choose one of the options for"),
        ({"owner_id": "77"}, "Choose one of the options for"),
        ({"owner_id": "x"}, "Choose one of the options for"),
        ({"next_action": "Call"}, "Enter a due date"),
        ({"next_action_on": "2026-12-01"}, "Enter the next action"),
        ({"next_action": "Call", "next_action_on": "next week"}, "Enter the due date as"),
        ({"next_action": "x" * 201, "next_action_on": "2026-12-01"}, "200 characters or fewer"),
        ({"name": "Ada\nBcc: x"}, "on one line"),
        ({"phone": "not a phone"}, "Enter a phone number like"),
    ]:
        sent = save(client, company="Kept Works", **changes)
        assert sent.status_code in {409, 422}, (changes, said)
        assert said in unescape(sent.text)
        assert 'value="Kept Works"' in sent.text
        assert lead(database).version == 1


def test_unknown_fields_of_the_form_are_ignored(client, ann, database):
    save(client, stage="contacted", id="9", email="x@example.com", address="x", quarantine="1")
    found = lead(database)
    assert (found.id, found.email, found.quarantine) == (1, "ada@example.com", False)


def test_a_former_owner_stays_with_the_leads_that_they_closed(client, ann, database):
    save(client, stage="won", owner_id="2")
    gone = update(Member).where(Member.id == 2).values(removed_at=MONDAY_MORNING)
    database.write(lambda session: session.execute(gone) and None)
    assert save(client, stage="lost", owner_id="2", seen=opened(client)["seen"]).status_code == 303
    assert lead(database).owner_id == 2
    database.write(
        lambda session: capture.capture_lead(
            session, ContactDetails(email="b@example.com"), at=MONDAY_MORNING
        )
    )
    assert 'value="2"' not in client.get("/desk/leads/2/").text


# -- Notes ----------------------------------------------------------------------------------


def write(client, text: str):
    return save(client, note=text)


def notes(database) -> list[tuple]:
    with database.read() as session:
        rows = session.scalars(select(Note).order_by(Note.id)).all()
    return [(row.member_id, row.text) for row in rows]


def test_a_note_is_kept_with_its_author_and_time_once(client, ann, database):
    for _ in range(2):
        assert write(client, "Decides in May.\nAsk for Eve.").location == PAGE
    assert [text.split() for _, text in notes(database)] == [
        ["Decides", "in", "May.", "Ask", "for", "Eve."]
    ]
    assert notes(database)[0][0] == 1
    assert client.get(PAGE).text.count("Decides in May.") == 2  # among the notes, on the timeline
    assert [what for _, what, *_ in trail(database)[1:]] == ["note_added"]


def test_an_endless_note_is_refused_and_kept(client, ann, database):
    sent = write(client, "n" * 2001)
    assert sent.status_code == 422
    assert "n" * 2001 in sent.text
    assert write(client, " ").status_code == 303
    assert notes(database) == []


def test_a_note_is_saved_with_the_rest_and_kept_in_a_conflict(client, ann, bob, database):
    save(bob, stage="won")
    stale = save(client, stage="lost", note="They said no.")
    assert stale.status_code == 409 and ">\r\nThey said no.</textarea>" in stale.text
    save(client, stage="lost", note="They said no.", seen=hidden(stale.text, "seen"))
    assert (lead(database).stage, notes(database)) == ("lost", [(1, "They said no.")])


def test_a_note_is_removed_by_its_author_or_an_admin(client, bob, database):
    for text, browser in (("of Ann", client), ("of Bob", bob), ("of Bob too", bob)):
        write(browser, text)

    def remove(browser, id: int) -> int:
        return press(browser, PAGE, f"{PAGE}notes/{id}/remove").status_code

    assert remove(bob, 1) == 403
    assert [remove(bob, 2), remove(client, 3), remove(client, 1)] == [303, 303, 303]
    assert notes(database) == []
    assert press(client, PAGE, "/desk/leads/2/notes/9/remove").status_code == 404


def test_the_timeline_names_the_article(client, ann, framework):
    token = begin_phase(client, **{"from": "about-clarify"}).split("/")[2]
    for step in framework.steps:
        client.post(f"/assessment/{token}/{step.slug}/", data=answers(framework, step.slug, WORST))
    client.post(f"/assessment/{token}/result/mail", data={"email": "ada@example.com"})
    told = re.search(r"Started the self-assessment.*?</li>", client.get(PAGE).text, re.S)[0]
    assert "coming from the article" in told
    assert "An article about clarify" in told
