"""What the team is told, at once: who, when, why, and what to ask."""

import html5lib
import pytest

from tests.support.app.visitor_forms import VISITOR, assess, book, hidden

pytestmark = pytest.mark.usefixtures("at")

ARTICLE = "about-clarify"
HOSTILE = '</td></table><a href="//evil.example">x</a> & "O\'Neil"'


@pytest.fixture
def environment(environment):
    """A host, who is the first of the team, and somebody else of it."""
    return environment | {"SALES_TO": "host@example.com, team@example.com"}


def write(client, **fields: str) -> None:
    form = {"submission": hidden(client.get("/contact/").text, "submission")}
    form |= {"name": "Ada Example", "email": VISITOR["email"], "topic": "Please call back."}
    assert client.post("/contact/", data=form | fields).status_code == 303


def sent_to(mails, address: str) -> list:
    return [message for _, message in mails() if message.to == address]


@pytest.fixture
def booked(client, framework, mails) -> list:
    """What host and team get when somebody books after an assessment, by way of an article."""
    result = assess(client, framework, {"clarify": 0, "organize": 1})
    book(client, assessment=result.split("/")[2], **{"from": ARTICLE})
    (host,), (team,) = sent_to(mails, "host@example.com"), sent_to(mails, "team@example.com")
    return [host, team]


def test_everybody_of_the_team_hears_of_a_booking_once(booked):
    assert {message.kind for message in booked} == {"booking_for_host", "new_lead"}


def test_a_suspected_booking_is_told_as_one_to_everybody(client, mails):
    book(client, website="http://spam.example")
    for address in ("host@example.com", "team@example.com"):
        (message,) = sent_to(mails, address)
        assert "suspected" in message.subject.lower()


def test_the_subject_says_who_and_when(booked):
    for message in booked:
        assert "Ada Example, Example Works" in message.subject
        assert "Monday, November 23, 2026" in message.subject


def test_a_reply_goes_to_the_lead(booked):
    for message in booked:
        assert (message.reply_to, message.reply_to_name) == (VISITOR["email"], "Ada Example")


def test_the_brief_is_inside_in_both_parts(booked, framework):
    step = framework.step("clarify")
    for message in booked:
        for part in (message.text, message.html):
            assert "An article about clarify" in part and ARTICLE not in part
            assert VISITOR["topic"] in part
            assert step.questions[0].answers[0].text in part
            assert "hree questions to ask" in part
            assert "/desk/leads/1/" in part
        assert "The widest gap is Clarify" in message.html
        assert "THE WIDEST GAP IS CLARIFY" in message.text


def test_every_score_is_drawn_in_full(booked):
    """Bar and rest of each step add up, also at the ends of the scale."""
    for message in booked:
        tree = html5lib.parse(message.html, namespaceHTMLElements=False)
        widths = [cell.get("width") for cell in tree.iter("td") if "%" in cell.get("width", "")]
        assert sum(int(width.strip("%")) for width in widths) == 6 * 100


def test_a_new_lead_by_a_mailed_result_comes_with_its_brief(client, framework, mails):
    result = assess(client, framework, {"nurture": 0})
    client.post(result + "mail", data={"email": VISITOR["email"]})
    for address in ("host@example.com", "team@example.com"):
        (message,) = sent_to(mails, address)
        assert "The widest gap is Nurture" in message.html
        assert message.reply_to == VISITOR["email"]


def test_who_writes_after_an_assessment_brings_the_brief_along(client, framework, mails):
    result = assess(client, framework, {"nurture": 0})
    client.post(result + "mail", data={"email": VISITOR["email"]})
    write(client)
    message = sent_to(mails, "team@example.com")[-1]
    assert "The widest gap is Nurture" in message.html
    assert "Please call back." in message.text


def test_who_books_later_on_a_page_of_its_own_brings_the_brief_along(client, framework, mails):
    result = assess(client, framework, {"clarify": 0})
    client.post(f"{result}mail", data={"email": VISITOR["email"]})
    book(client)
    told = [message for row, message in mails() if row.kind == "booking_for_host"]
    told += [message for message in sent_to(mails, "team@example.com") if "call" in message.subject]
    assert len(told) == 2
    for message in told:
        assert "WIDEST GAP IS CLARIFY" in message.text and "widest gap is" in message.html


def test_without_an_assessment_the_mail_says_so_and_leaves_out_what_is_not_known(client, mails):
    write(client)
    (message,) = sent_to(mails, "team@example.com")
    assert "No self-assessment came with this." in message.text
    for name in ("Company", "Phone", "Came from", "None", "none"):
        assert name not in message.text


def test_a_long_name_does_not_push_the_time_out_of_the_subject(client, mails):
    book(client, name="N" * 120, company="C" * 120)
    for address in ("host@example.com", "team@example.com"):
        (message,) = sent_to(mails, address)
        assert len(message.subject) < 220
        assert "November 23" in message.subject


def test_hostile_text_is_escaped_in_html_isolated_and_verbatim_in_text(client, mails):
    write(client, name=HOSTILE, company=HOSTILE, topic=HOSTILE)
    (message,) = sent_to(mails, "team@example.com")
    assert HOSTILE in message.text
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(message.html)
    links = [link.get("href") for link in tree.iter("a")]
    assert links and not any("evil" in link for link in links)
    isolated = [one.text for one in tree.iter("bdi")]
    assert isolated.count(HOSTILE) == 3
    assert message.html.count("evil.example") == 3
