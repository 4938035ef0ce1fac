"""Invalid input to the self-assessment is refused without losing the answers."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from lead_service import own_files
from lead_service.assess.models import Assessment
from lead_service.emails.models import OutboxMessage
from lead_service.privacy import retention
from lead_service.settings import load
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.calls import count
from tests.support.app.visitor_forms import WORST, answers, assess, begin, begin_phase


def test_an_unknown_step_is_refused_and_the_answers_are_kept(client, framework, database):
    given = answers(framework, "assess", 2)
    for step in [
        "",
        "no-such-step",
        "../assess",
        "Assess",
        ["assess", "assess"],
        ["assess", "clarify"],
    ]:
        refused = client.post("/assessment/", data=given | {"step": step})
        assert refused.status_code == 422, step
        assert refused.text.count('" checked>') == 2
        assert 'name="step" value="assess"' in refused.text
        assert count(database, Assessment) == 0


def test_another_step_s_answers_are_refused_and_change_nothing(client, framework, database):
    begun = begin(client, framework)
    refused = client.post(begun + "clarify/", data=answers(framework, "organize", 2))
    assert refused.status_code == 422
    with database.read() as session:
        kept = session.scalars(select(Assessment.answers)).one()
    assert kept == answers(framework, "assess", WORST)


def test_fields_that_a_visitor_may_not_set_are_ignored(client, framework, database):
    lures = {"lead_id": "1", "share_hash": "x", "completed_at": "2026-01-01", "id": "99"}
    first = begin_phase(client, **lures)
    client.post(first, data=answers(framework, "assess", WORST) | lures)
    with database.read() as session:
        stored = session.scalars(select(Assessment)).one()
    assert (stored.lead_id, stored.share_hash, stored.completed_at) == (None, None, None)
    assert stored.id != 99
    assert set(stored.answers) == {one.id for one in framework.step("assess").questions}


def test_an_unfinished_assessment_cannot_be_emailed(client, framework, database):
    begun = begin(client, framework)
    sent = client.post(begun + "result/mail", data={"email": "ada@example.com"})
    assert sent.status_code == 404
    assert count(database, OutboxMessage) == 0


def test_an_email_without_an_address_keeps_the_page_and_the_tick(client, framework, database):
    result = assess(client, framework)
    refused = client.post(result + "mail", data={"email": "ada@", "may_contact": "y"})
    assert refused.status_code == 422
    assert 'value="ada@"' in refused.text
    assert "checked" in refused.text
    assert count(database, OutboxMessage) == 0


def test_without_a_script_the_link_is_shown_instead_of_a_copy_button(client, framework):
    result = assess(client, framework)
    assert own_files.address("copy.js") not in client.get(result + "save/").text
    client.post(result + "share")
    page = client.get(result + "save/").text
    assert page.count(own_files.address("copy.js")) == 1
    link = page.split('class="share-link"><a href="')[1].split('"')[0]
    assert f">{link}</a>" in page
    assert f'data-copy="{link}" hidden' in page


@pytest.mark.parametrize(("abandoned", "unclaimed"), [(2, 20), (30, 365)])
def test_how_long_answers_are_kept_is_a_setting(
    client, framework, database, environment, abandoned, unclaimed
):
    begin_phase(client)
    assess(client, framework)
    days = {"ABANDONED_DAYS": str(abandoned), "UNCLAIMED_DAYS": str(unclaimed)}
    settings, kept = load(environment | days), []
    for after in (abandoned, abandoned + 1, unclaimed, unclaimed + 1):
        now = MONDAY_MORNING + timedelta(days=after)
        retention.erase(database, settings, now)
        kept.append(count(database, Assessment))
    assert kept == [2, 1, 1, 0]
