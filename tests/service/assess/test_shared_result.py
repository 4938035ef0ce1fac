"""Sharing a result: a separate link that shows less and can be revoked."""

import re
from html import unescape

import pytest
from sqlalchemy import select

from lead_service.assess.models import Assessment
from tests.support.app.stored_data import mentions
from tests.support.app.visitor_forms import PHASE, WORST, answers, assess, begin

LEVELS = {"clarify": WORST, "organize": 2}
SHARED = re.compile(r'class="share-link"><a href="http://127\.0\.0\.1:8000(/[^"]+)"')


@pytest.fixture
def result(client, framework, at) -> str:
    return assess(client, framework, LEVELS)


def share(client, result: str) -> str:
    """Click the button; return the path of the link on the page."""
    sent = client.post(result + "share")
    assert (sent.status_code, sent.location) == (303, result + "save/#share")
    return SHARED.search(client.get(result + "save/").text)[1]


def test_the_shared_page_shows_scores_and_conditions(client, framework, result):
    page = unescape(client.get(share(client, result)).text)
    assert "A shared result: Begin with Clarify" in page
    for question in framework.in_phase(PHASE).questions:
        assert question.condition in page


def test_the_shared_page_has_no_answers_address_or_button(client, framework, result):
    client.post(result + "mail", data={"email": "ada@example.com"})
    page = unescape(client.get(share(client, result)).text)
    assert "ada@example.com" not in page
    assert "<form" not in page and "<button" not in page
    assert result.split("/")[2] not in page
    assert "You said" not in page
    assert '<meta name="robots" content="noindex">' in page


def test_the_share_token_opens_none_of_the_owner_s_pages(client, result):
    token = share(client, result).split("/")[3]
    for page in ("/", "/result/", "/result.pdf", "/clarify/", "/result/mailed/"):
        assert client.get(f"/assessment/{token}{page}").status_code == 404
    for action in ("/result/mail", "/result/share", "/result/unshare", "/clarify/"):
        sent = {"email": "eve@example.com"}
        assert client.post(f"/assessment/{token}{action}", data=sent).status_code == 404
    client.post(f"/assessment/{token}/delete")
    assert client.get(result).status_code == 200


def test_the_owner_s_token_is_not_a_share_link(client, result):
    share(client, result)
    assert client.get(f"/assessment/shared/{result.split('/')[2]}/").status_code == 404


def test_sharing_twice_keeps_the_link(client, result):
    assert share(client, result) == share(client, result)


def test_a_revoked_link_is_like_an_unknown_one(client, result):
    link = share(client, result)
    assert client.post(result + "unshare").status_code == 303
    gone, never = client.get(link), client.get("/assessment/shared/never/")
    assert (gone.status_code, gone.text) == (404, never.text)
    assert gone.text == client.get("/assessment/never/result/").text
    assert not SHARED.search(client.get(result + "save/").text)


def test_a_new_share_link_does_not_restore_the_revoked_one(client, result):
    old = share(client, result)
    client.post(result + "unshare")
    new = share(client, result)
    assert new != old
    assert (client.get(old).status_code, client.get(new).status_code) == (404, 200)


def test_the_share_token_is_stored_as_a_hash_only(client, result, database):
    token = share(client, result).split("/")[3]
    assert len(token) >= 32
    assert mentions(database, token) == []


def test_an_unfinished_assessment_cannot_be_shared(client, framework, at, database):
    begun = begin(client, framework)
    assert client.post(begun + "result/share").status_code == 404
    with database.read() as session:
        assert session.scalars(select(Assessment.share_hash)).all() == [None]


def test_changed_answers_show_on_the_shared_page(client, framework, result):
    link = share(client, result)
    client.post(result.replace("/result/", "/nurture/"), data=answers(framework, "nurture", WORST))
    client.post(result.replace("/result/", "/clarify/"), data=answers(framework, "clarify", 3))
    assert "A shared result: Begin with Nurture" in client.get(link).text


def test_a_shared_result_that_its_owner_is_correcting_says_so(client, framework, result):
    link = share(client, result)
    other = next(one.id for one in framework.phases if one.id != PHASE)
    client.post(result.replace("/result/", "/phase/"), data={"phase": other})
    client.post(result.replace("/result/", "/clarify/"), data={})
    shown = client.get(link)
    assert (shown.status_code, "This result is being corrected" in shown.text) == (200, True)
