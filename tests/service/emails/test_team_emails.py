"""What the team is told, at once: who, when, why, and what to ask."""

import csv
import io
from datetime import timedelta
from html import unescape

import html5lib
import pytest
from markupsafe import escape

from lead_service.assess import brief
from lead_service.book import briefs
from lead_service.book.models import Booking
from lead_service.ops import checks, serving
from lead_service.settings import SettingsError
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.calls import add_host, give_to
from tests.support.app.desk_client import sign_in
from tests.support.app.stored_data import confirm_ticks
from tests.support.app.visitor_forms import VISITOR, again, assess, book, hidden, open_starts

ARTICLE = "about-clarify"


@pytest.fixture
def environment(environment):
    """A host who is the first in SALES_TO, and a second address."""
    return environment | {"SALES_TO": "host@example.com, team@example.com"}


def write(client, **fields: str) -> None:
    form = {"submission": hidden(client.get("/contact/").text, "submission")}
    form |= {"name": "Ada Example", "email": VISITOR["email"], "topic": "Please call back."}
    assert client.post("/contact/", data=form | fields).status_code == 303


def sent_to(mails, address: str) -> list:
    return [message for _, message in mails() if message.to == address]


@pytest.fixture
def booked(client, framework, mails) -> list:
    """The emails to host and team about a booking with answers and an article."""
    result = assess(client, framework, {"clarify": 0, "organize": 1})
    book(client, assessment=result.split("/")[2], **{"from": ARTICLE})
    (host,), (team,) = sent_to(mails, "host@example.com"), sent_to(mails, "team@example.com")
    return [host, team]


def test_host_and_team_read_who_booked_and_when_and_reply_to_the_lead(booked):
    assert {message.kind for message in booked} == {"booking_for_host", "new_lead"}
    for message in booked:
        assert (message.reply_to, message.reply_to_name) == (VISITOR["email"], "Ada Example")
        assert "Ada Example" in message.subject
        assert "Mon, Nov 23, 12:00 pm" in message.subject


def test_the_brief_is_inside_in_both_parts(booked, framework):
    step = framework.step("clarify")
    for message in booked:
        for part in (message.text, message.html):
            assert "An article about clarify" in part and ARTICLE not in part
            assert VISITOR["topic"] in part
            assert step.questions[0].answers[0].text in part
            assert "questions to ask" in part.lower()
            assert "/desk/leads/1/" in part
            assert "Begin with Clarify." in part
            assert "Recommended" in part and "Strategy engagement." in part


def test_every_score_is_drawn_in_full(booked):
    """The filled and the empty part of each bar add up, also at 0 and 100."""
    for message in booked:
        tree = html5lib.parse(message.html, namespaceHTMLElements=False)
        widths = [cell.get("width") for cell in tree.iter("td") if "%" in cell.get("width", "")]
        assert sum(int(width.strip("%")) for width in widths) == 6 * 100


@pytest.mark.parametrize(
    ("ticked", "said", "reply_to"),
    [
        ({}, "They did not agree to be contacted. Do not email or call them.", None),
        (
            {"may_contact": "y"},
            "They agreed that we may email them about their result.",
            VISITOR["email"],
        ),
    ],
)
def test_emailed_results_allow_contact_only_with_consent(
    client, framework, mails, database, ticked, said, reply_to
):
    client.post(assess(client, framework) + "mail", data={"email": VISITOR["email"]} | ticked)
    confirm_ticks(database)
    for address in ("host@example.com", "team@example.com"):
        (message,) = sent_to(mails, address)
        assert said in message.text and said in message.html
        assert message.reply_to == reply_to
        for invites in (
            "If you reply to this email, your reply will go to",
            "OPEN WITH",
            "QUESTIONS TO ASK",
        ):
            assert (invites in message.text) == bool(reply_to)


@pytest.mark.parametrize(
    ("ticked", "also"),
    [
        ({}, "They did not agree to be contacted about anything else."),
        ({"may_contact": "y"}, "They also agreed that we may email them about our services."),
    ],
)
def test_visitors_who_booked_a_call_or_wrote_can_be_answered(client, mails, database, ticked, also):
    book(client, **ticked)
    write(client, email="b@example.com", **ticked)
    confirm_ticks(database)
    told = [message for row, message in mails() if row.kind in ("new_lead", "booking_for_host")]
    assert len(told) == 4
    for message in told:
        assert message.reply_to in {VISITOR["email"], "b@example.com"}
        assert also in message.text and also in message.html


def test_a_box_left_unchecked_on_a_later_form_withdraws_nothing(client, database, mails):
    book(client, may_contact="y")
    confirm_ticks(database)
    write(client)
    message = sent_to(mails, "team@example.com")[-1]
    assert "They also agreed that we may email them about our services." in message.text


def test_the_host_who_loses_a_call_is_not_invited_to_reply(client, context, database, mails):
    book(client)
    give_to(context, add_host(database))
    (told,) = [message for row, message in mails() if row.kind == "booking_cancelled_for_host"]
    assert told.reply_to is None
    assert "Another host has this call now and will talk to them about it." in told.text


def test_the_team_is_told_of_a_corrected_address_and_replies_to_it(client, mails, post):
    client.post(book(client, email="adda@example.org") + "address", data={"email": "a@example.org"})
    (booked,) = sent_to(mails, "team@example.com")[-1:]
    assert "Ada Example booked a call." in booked.text and booked.reply_to == "a@example.org"
    post()
    page = book(client, open_starts(client)[5], email="bob@example.org", name="Bob Example")
    post()
    client.post(page + "address", data={"email": "b@example.org"})
    told = sent_to(mails, "team@example.com")[-1]
    assert "Bob Example corrected their email address." in told.text
    assert told.reply_to == "b@example.org"
    assert "your reply will go to b@example.org." in told.text


def test_a_repeated_assessment_lists_the_changes_since_the_first(client, framework, mails, at):
    first = assess(client, framework, {"clarify": 0, "nurture": 2})  # without an address
    at(MONDAY_MORNING + timedelta(days=1))
    result = again(client, framework, first, {"clarify": 1, "assess": 0, "nurture": 2})
    again(client, framework, first, 3)  # comes with no call
    book(client, assessment=result.split("/")[2])
    (host,) = [message for row, message in mails() if row.kind == "booking_for_host"]
    (team,) = [one for one in sent_to(mails, "team@example.com") if "call" in one.subject]
    for message in (host, team):
        for part in (message.text, message.html):
            assert "changed since november 23, 2026" in part.lower()
            assert "Overall 78 then, 67 now." in part
            lines = " ".join(part.split())
            for step, was, now in (("clarify", 0, 1), ("assess", 3, 0)):
                for question in framework.step(step).questions:
                    assert question.answers[was].text in lines
                    assert question.answers[now].text in lines
    assert host.text.count("Better: ") == host.text.count("Worse: ") == 2


def test_repeating_another_leads_result_changes_nothing_of_that_lead(
    client, framework, mails, database, settings, at
):
    first = assess(client, framework, 3, phase="idea")
    book(client, assessment=first.split("/")[2])
    at(MONDAY_MORNING + timedelta(days=1))
    result = again(client, framework, first, {"implement": 0}, phase="rolling-out")
    book(client, assessment=result.split("/")[2], name="Rolf", email="rolf@example.com")
    told = {one.reply_to: one.text for one in sent_to(mails, "team@example.com")}
    sign_in(client, database, settings)
    listed = list(csv.DictReader(io.StringIO(client.get("/desk/leads.csv").data.decode())))
    rows = {one["Email"]: (one["Phase"], one["Begin with"]) for one in listed}
    inbox = client.get("/desk/").text
    for id, email, phase, headline in (
        (1, VISITOR["email"], "idea", "Every condition is true."),
        (2, "rolf@example.com", "rolling-out", "Begin with Implement."),
    ):
        data, label = client.get(f"/desk/leads/{id}.json").json, framework.phase(phase).label
        page = unescape(client.get(f"/desk/leads/{id}/").text)
        step = data["begin_with"] and framework.step(data["begin_with"]).name
        assert f"Begin with {step}." == headline if step else "true" in headline
        assert data["phase"] == phase and rows[email] == (label, step or headline)
        assert headline in told[email] and f"Phase: {label}" in told[email]
        assert f"Phase: {label}" in page and "Changed since" not in page + told[email]
        for question in framework.in_phase(phase).step("implement").questions:
            assert question.text in page and question.answers[0 if step else 3].text in page
        assert (step or headline.strip(".")) in inbox


def test_email_and_desk_show_the_same_brief_of_each_call(
    client, context, framework, mails, database, settings, booked
):
    book(client, assessment=assess(client, framework, {"nurture": 0}).split("/")[2])
    of_second = [message for _, message in mails() if message.kind == "booking_for_host"][1:]
    sign_in(client, database, settings)
    for number, told in ((1, booked), (2, of_second)):
        with database.read() as session:
            call = session.get(Booking, number)
            found = briefs.brief_of(session, context.published, 1, call, VISITOR["topic"])
        shown = [found.source, found.opening, found.recommended, found.diagnosis.phase.label]
        shown += found.diagnosis.reasons
        shown += [text for one in found.asks for text in (one.text, one.condition.answer.text)]
        assert all(f"/desk/leads/1/?call={number}\n" in message.text for message in told)
        assert f'href="/desk/leads/1/?call={number}"' in client.get(f"/desk/calls/{number}/").text
        page = " ".join(client.get(f"/desk/leads/1/?call={number}").text.split())
        for text in shown:
            assert str(escape(text)) in page
            assert all(text in message.text for message in told)
        assert f'href="/desk/leads/1/?call={3 - number}"' in page
        assert page.count("Came with the call on") == 2
        assert "You can call or email them about the call they booked." in page
    assert client.get("/desk/leads/1.json").json["answers_from"] in booked[0].text


# A file that only the team needs


@pytest.fixture
def broken_brief(tmp_path, monkeypatch):
    """Remove a question of the framework from brief.yml."""
    file = tmp_path / "brief.yml"
    file.write_text(
        brief.FILE.read_text().replace("clarify-funding:\n  - levels", "payer:\n  - levels")
    )
    monkeypatch.setattr(brief, "FILE", file)
    yield file


@pytest.mark.parametrize("is_there", [True, False])
def test_a_brief_file_that_does_not_fit_stops_no_visitor(
    client, framework, mails, database, settings, broken_brief, is_there
):
    if not is_there:
        broken_brief.unlink()
    result = assess(client, framework, {"clarify": 0})
    given = {"email": VISITOR["email"], "may_contact": "y"}
    assert client.post(result + "mail", data=given).status_code == 303
    book(client, assessment=result.split("/")[2])
    confirm_ticks(database)
    told = [message for row, message in mails() if row.kind in ("new_lead", "booking_for_host")]
    assert len(told) == 4
    sign_in(client, database, settings)
    for part in [*(one.text for one in told), client.get("/desk/leads/1/").text]:
        assert "Begin with" in part
        assert "There are no suggested questions. brief.yml does not fit the questions" in part
        assert ("cannot be read" in part) != is_there


def test_no_server_starts_with_a_brief_file_that_does_not_fit(settings, framework, broken_brief):
    with pytest.raises(SettingsError) as refused:
        serving.load_content(settings)
    assert any("payer: the framework has no such question" in one for one in refused.value.faults)
    assert all(one.startswith("brief.yml: line ") for one in refused.value.faults)
    assert set(refused.value.faults) <= set(checks.faults(settings))


def test_an_emailed_result_and_a_message_after_it_come_with_the_brief(client, framework, mails):
    result = assess(client, framework, {"nurture": 0})
    client.post(result + "mail", data={"email": VISITOR["email"]})
    write(client)
    for address in ("host@example.com", "team@example.com"):
        told = sent_to(mails, address)
        assert len(told) == 2 and all("Begin with Nurture." in one.html for one in told)
        assert "Please call back." in told[-1].text


def test_a_late_email_says_when_it_was(client, mails, at):
    write(client)
    assert "late" not in sent_to(mails, "team@example.com")[0].text
    at(MONDAY_MORNING + timedelta(days=8))
    (late,) = sent_to(mails, "team@example.com")
    assert "It's about something that happened on Monday, November 23, 2026." in late.text
    assert "Monday, November 23" in late.html


def test_a_later_booking_from_a_result_comes_with_the_brief(client, framework, mails):
    result = assess(client, framework, {"clarify": 0})
    client.post(f"{result}mail", data={"email": VISITOR["email"]})
    book(client)
    told = [message for row, message in mails() if row.kind == "booking_for_host"]
    told += [message for message in sent_to(mails, "team@example.com") if "call" in message.subject]
    assert len(told) == 2
    for message in told:
        assert "Begin with Clarify." in message.text and "Begin with Clarify." in message.html


def test_without_an_assessment_the_email_says_so_and_leaves_out_unknown_details(client, mails):
    write(client)
    (message,) = sent_to(mails, "team@example.com")
    assert "We have no completed self-assessment from them." in message.text
    for name in ("Company", "Phone", "Came from", "None", "none"):
        assert name not in message.text


def test_a_long_name_does_not_push_the_time_out_of_the_subject(client, mails):
    book(client, name="N" * 120, company="C" * 120)
    for address in ("host@example.com", "team@example.com"):
        (message,) = sent_to(mails, address)
        assert len(message.subject) < 60
        assert "Mon, Nov 23" in message.subject
