"""The self-assessment: each step is saved, and only its token opens it."""

import re
import threading
from html import unescape

import pytest
from sqlalchemy import select, update

from lead_service.assess.models import Assessment
from lead_service.emails import outbox
from lead_service.emails.status import health
from lead_service.leads.models import Consent, Lead, LeadEvent
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.calls import count
from tests.support.app.outbox_helper import in_threads
from tests.support.app.visitor_forms import (
    BEST,
    PHASE,
    WORST,
    again,
    answers,
    assess,
    begin,
    begin_phase,
    book,
    hidden,
)

ADA = "ada@example.com"


def test_the_phase_and_six_short_pages_lead_to_the_result(client, framework, database):
    result = client.get(assess(client, framework, WORST))
    assert result.status_code == 200
    assert "Your result: Begin with Assess" in result.text
    with database.read() as session:
        stored = session.scalar(select(Assessment))
    assert stored.completed_at is not None and stored.phase == PHASE


def test_the_link_resumes_at_the_first_open_step(client, framework):
    begun = begin(client, framework)
    assert client.get(begun).location == f"{begun}clarify/"


def test_sending_a_step_leads_straight_to_the_next_page(client, framework):
    first = begin_phase(client)
    assert first.endswith("/assess/")
    begun = client.post(first, data=answers(framework, "assess", 1))
    assert begun.location.endswith("/clarify/")
    assert client.get(begun.location).status_code == 200


def test_going_back_or_sending_the_first_page_twice_keeps_one_assessment(
    client, framework, database
):
    page = client.get("/assessment/")
    assert "no-store" not in page.headers["Cache-Control"]  # for the back button
    opened = {"submission": hidden(page.text, "submission")}
    begun = client.post("/assessment/?sent=1", data=opened | {"phase": "idea"})
    client.post(begun.location, data=answers(framework, "assess", 2))
    for _ in range(2):
        again = client.post("/assessment/", data=opened | {"phase": "in-use"})
        assert again.location == begun.location.replace("/assess/", "/clarify/")
    with database.read() as session:
        kept = session.scalars(select(Assessment)).one()
    assert (kept.answers, kept.phase) == (answers(framework, "assess", 2), "in-use")


@pytest.mark.both_engines
def test_four_simultaneous_first_pages_are_one_assessment(app, client, database):
    sent = {"submission": hidden(client.get("/assessment/").text, "submission")}
    sent |= {"phase": PHASE}
    together, answered = threading.Barrier(4), []

    def send() -> None:
        mine = app.test_client()
        together.wait()
        answered.append(mine.post("/assessment/", data=sent).location)

    in_threads(send, 4)
    assert len(answered) == 4 and len(set(answered)) == 1
    assert count(database, Assessment) == 1


def test_opening_the_first_page_again_starts_another_assessment(client):
    begun = []
    for _ in range(2):
        opened = {"submission": hidden(client.get("/assessment/").text, "submission")}
        begun.append(begin_phase(client, **opened))
    assert begun[0] != begun[1]


def test_an_article_s_own_check_starts_the_assessment_with_that_step_done(client, framework):
    sent = {"step": "organize", "from": "about-organize"} | answers(framework, "organize", 2)
    begun = client.post("/assessment/", data=sent)
    assert begun.location.endswith("/phase/")
    organize = begun.location.replace("/phase/", "/organize/")
    assert client.get(organize).location == begun.location  # the phase decides its words
    for phase, same in (("pilot-running", 1), ("idea", 0)):  # reworded questions are open again
        assert client.post(begun.location, data={"phase": phase}).location.endswith("/assess/")
        assert client.get(organize).text.count('" checked>') == same


def test_questions_that_a_corrected_phase_rewords_are_asked_again(client, framework, database):
    result = assess(client, framework, WORST, phase="rolling-out")
    begun = result.replace("result/", "")
    old = client.get(f"{begun}implement/").text
    following = client.post(f"{begun}phase/", data={"phase": "idea"}).location
    assert (following, client.get(result).location) == (f"{begun}clarify/", begun)
    with database.read() as session:
        kept = session.scalars(select(Assessment)).one()
    assert kept.answers.keys() == {"assess-data-quality", "assess-limits-listed", "transform-stop"}
    late = answers(framework, "implement", 1) | {"phase": hidden(old, "phase")}
    client.post(f"{begun}implement/", data=late)  # from a page that was open before
    assert client.get(f"{begun}implement/").text.count('" checked>') == 0
    for slug in ("clarify", "transform", "implement", "organize", "nurture"):
        client.post(f"{begun}{slug}/", data=answers(framework, slug, BEST))
    idea = framework.in_phase("idea").question("implement-information")
    page = unescape(client.get(result).text)
    assert "It is an idea" in page and idea.condition in page


def test_the_first_page_needs_a_phase_that_is_offered(client, database):
    for given in [{}, {"phase": ""}, {"phase": "someday"}]:
        refused = client.post("/assessment/", data=given)
        assert refused.status_code == 422, given
        assert "There is a problem" in refused.text
        assert count(database, Assessment) == 0


def test_results_from_before_the_phase_was_asked_for_still_open(client, framework, database):
    result = assess(client, framework)
    change = update(Assessment).values(phase=None)
    database.write(lambda session: session.execute(change) and None)
    assert client.get(result).status_code == 200
    assert client.get(result.replace("/result/", "/")).location == result
    assert client.get(result.replace("/result/", "/clarify/")).status_code == 200
    client.post(result.replace("/result/", "/phase/"), data={"phase": "idea"})
    assert client.get(result).status_code == 303  # the wording of the other phase was never shown


def test_a_known_article_is_kept_as_the_source_and_an_unknown_one_is_not(client, database):
    for slug in ("about-clarify", "https://evil.example/"):
        begin_phase(client, **{"from": slug})
    with database.read() as session:
        kept = session.scalars(select(Assessment.came_from).order_by(Assessment.id)).all()
    assert kept == ["about-clarify", None]


def test_changing_an_answer_changes_the_result(client, framework):
    result = assess(client, framework, WORST)
    step = result.replace("/result/", "/assess/")
    client.post(step, data=answers(framework, "assess", BEST))
    assert "Your result: Begin with Clarify" in client.get(result).text


def test_unknown_answers_are_refused_and_the_rest_is_kept(client, framework, database):
    for kind in ["missing", "doubled", "unknown"]:
        first, second = framework.steps[0].questions
        given = [(first.id, first.answers[1].id)]
        given += {
            "missing": [],
            "doubled": [(second.id, second.answers[0].id), (second.id, second.answers[1].id)],
            "unknown": [(second.id, "no-such-answer")],
        }[kind]
        from werkzeug.datastructures import MultiDict

        refused = client.post("/assessment/", data=MultiDict([("step", "assess"), *given]))
        assert refused.status_code == 422, kind
        assert f'value="{first.answers[1].id}" checked' in refused.text
        assert 'role="alert"' in refused.text
        assert count(database, Assessment) == 0


def test_unknown_tokens_all_get_the_same_404(client):
    for token in ["x", "a" * 43, "%00", "..", "a" * 5000]:
        page = client.get(f"/assessment/{token}/result/")
        assert page.status_code in {400, 404}, token
        if page.status_code == 404:
            assert page.text == client.get("/assessment/unknown/result/").text


def test_a_token_is_stored_as_a_hash_only(client, framework, database):
    token = assess(client, framework).split("/")[2]
    assert len(token) >= 43
    with database.read() as session:
        stored = session.scalar(select(Assessment))
    assert token not in str(vars(stored))


def test_the_emailed_result_has_the_link_to_share_and_no_answers(
    client, framework, mails, database
):
    result = assess(client, framework, WORST)
    sent = client.post(result + "mail", data={"email": "ada@example.com"})
    assert sent.status_code == 303
    to_visitor = [message for _, message in mails() if message.to == "ada@example.com"]
    assert len(to_visitor) == 1
    assert result.split("/")[2] not in to_visitor[0].text + to_visitor[0].html
    shared = re.search(r"http://127\.0\.0\.1:8000(/assessment/shared/\S+)", to_visitor[0].text)[1]
    page = client.get(shared).text
    assert "Your result: Begin with Assess" in page and "You said" not in page
    assert "The result we emailed you" in page
    assert framework.steps[0].questions[0].answers[WORST].text not in to_visitor[0].text
    with database.read() as session:
        assert [one.may_contact for one in session.scalars(select(Consent))] == [False]


def test_emailing_the_same_result_twice_is_one_email_and_one_lead(
    client, framework, mails, database
):
    result = assess(client, framework)
    for _ in range(2):
        client.post(result + "mail", data={"email": "ada@example.com"})
    assert len([1 for _, message in mails() if message.kind == "result"]) == 1
    assert [count(database, kept) for kept in (Lead, LeadEvent, Consent)] == [1, 1, 1]


def test_a_filled_honeypot_stores_the_lead_and_holds_the_email(client, framework, mails, database):
    sent = client.post(
        assess(client, framework) + "mail", data={"email": "ada@example.com", "website": "x"}
    )
    assert sent.status_code == 303
    assert [row.state for row, message in mails() if message.kind == "result"] == ["held"]
    with database.read() as session:
        assert session.scalar(select(Lead)).quarantine is True


def test_one_address_gets_a_few_emails_a_day_of_all_kinds_and_the_rest_is_held(
    client, framework, mails, database, monkeypatch
):
    monkeypatch.setattr(outbox, "EMAILS_A_DAY", 3)
    call = book(client)
    for email in ("Ada@Example.com", "ada+a@example.com", "ADA+b@example.com"):
        client.post(assess(client, framework) + "mail", data={"email": email})
    client.post(call + "cancel")
    states = [(one.kind, row.state) for row, one in mails() if row.mailbox == ADA]
    assert states.count(("result", "held")) == 1
    assert (
        "booking_cancelled",
        "pending",
    ) in states  # their calendar has the call
    assert (count(database, Lead), count(database, LeadEvent)) == (3, 5)
    with database.read() as session:
        (trouble,) = health(session, MONDAY_MORNING).troubles
    assert trouble.startswith("Emails held because one address got too many: 1.")


# Answering again


def test_answering_again_shows_the_changes_and_leaves_the_first_result(client, framework):
    first = assess(client, framework, WORST)
    assert "What has changed" not in client.get(first).text
    levels = {step.slug: WORST for step in framework.steps} | {"clarify": BEST}
    second = again(client, framework, first, levels)
    assert second != first
    page = unescape(client.get(second).text)
    assert "What has changed" in page and "Now true. It was open." in page
    assert "It was 0." in page
    assert "What has changed" not in client.get(first).text


def test_a_repeated_result_has_no_lead_before_an_address_is_left(client, framework, database):
    result = assess(client, framework)
    client.post(result + "mail", data={"email": "ada@example.com"})
    shared = re.search(
        r'share-link"><a href="http://127\.0\.0\.1:8000([^"]+)', client.get(result + "save/").text
    )[1]
    levels = {step.slug: 2 for step in framework.steps}
    again(client, framework, result, levels)
    again_from_link = again(client, framework, shared, levels)
    assert "What differs" in client.get(again_from_link).text
    client.post(result + "unshare")
    assert "What differs" not in client.get(again_from_link).text
    with database.read() as session:
        leads = session.scalars(select(Assessment.lead_id).order_by(Assessment.id)).all()
    assert leads == [1, None, None]  # anyone may have either link


def test_a_deleted_result_cannot_be_compared(client):
    for link in ("/assessment/never/again/", "/assessment/shared/never/again/"):
        assert client.get(link).status_code == 404
        assert client.post(link, data={"phase": PHASE}).location.endswith("/assess/")


def test_the_comparison_disappears_once_the_first_answers_are_deleted(client, framework):
    first = assess(client, framework, WORST)
    second = again(client, framework, first, {step.slug: BEST for step in framework.steps})
    client.post(first.replace("/result/", "/delete"))
    page = client.get(second)
    assert page.status_code == 200 and "What has changed" not in page.text
