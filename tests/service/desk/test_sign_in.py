"""Signing in: one-time links that expire soon, and responses that reveal no members."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from lead_service.accounts.members import DeskSession, SignInLink
from lead_service.desk.auth import links
from lead_service.desk.team import membership
from lead_service.emails.models import OutboxMessage
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.calls import count
from tests.support.app.desk_client import HERE, MEMBER, path_of_link, press, sign_in
from tests.support.app.visitor_forms import hidden

KNOWN, UNKNOWN = "ann@example.com", "bob@example.com"


def ask(client, address: str):
    return press(client, "/desk/sign-in/", email=address)


@pytest.fixture
def member(app, database) -> None:
    database.write(lambda session: membership.add_member(session, MEMBER, MONDAY_MORNING).id)


def test_a_member_gets_an_email_whose_link_signs_them_in(client, member, mails, at):
    assert ask(client, "ANN@example.com").location == "/desk/sign-in/sent/"
    (row, message), *others = mails()
    assert (row.kind, row.address, others) == ("sign_in", KNOWN, [])
    assert row.useless_after - row.created_at == timedelta(minutes=15)
    link = next(line for line in message.text.splitlines() if line.startswith("http://"))
    assert link in message.html
    assert press(client, link.removeprefix("http://127.0.0.1:8000")).location == "/desk/"
    assert client.get("/desk/").status_code == 200


def test_opening_the_link_does_not_use_it(client, another_browser, database, settings):
    path = path_of_link(database, settings)
    for _ in range(3):
        assert another_browser().get(path).status_code == 200
    assert press(client, path).status_code == 303


@pytest.mark.both_engines
def test_a_link_works_once(client, another_browser, database, settings):
    path = path_of_link(database, settings)
    token = hidden((second := another_browser()).get(path).text, "csrf_token")
    assert press(client, path).status_code == 303
    again = second.post(path, data={"csrf_token": token})
    assert again.status_code == 404
    assert "no longer works" in again.text
    assert second.get(path).status_code == 404
    assert second.get("/desk/").status_code == 303
    assert count(database, DeskSession) == 1


@pytest.mark.both_engines
def test_of_many_simultaneous_uses_of_a_link_one_signs_in(database, settings, app, at):
    token = path_of_link(database, settings).split("/")[-2]
    start = threading.Barrier(8)

    def press_it(_) -> bool:
        start.wait()
        return database.write(
            lambda session: links.claim(session, token, MONDAY_MORNING) is not None
        )

    with ThreadPoolExecutor(8) as browsers:
        assert sum(browsers.map(press_it, range(8))) == 1


@pytest.mark.parametrize(("minutes", "status"), [(14, 303), (15, 404), (16, 404)])
def test_a_link_lives_for_fifteen_minutes(client, database, settings, at, minutes, status):
    at(MONDAY_MORNING)
    path = path_of_link(database, settings)
    token = hidden(client.get(path).text, "csrf_token")
    at(MONDAY_MORNING + timedelta(minutes=minutes))
    assert client.post(path, data={"csrf_token": token}).status_code == status


def test_only_the_hash_of_a_link_and_of_a_session_is_kept(client, database, settings):
    path = path_of_link(database, settings)
    press(client, path)
    with client.session_transaction(base_url=HERE) as cookie:
        id = cookie["desk"]
    with database.read() as session:
        stored = [*session.scalars(select(SignInLink.token_hash))]
        stored += session.scalars(select(DeskSession.id_hash))
    assert path.split("/")[-2] not in stored
    assert id not in stored


def test_a_known_and_an_unknown_address_get_the_same_answer(another_browser, member, database):
    answers = []
    for address in (KNOWN, UNKNOWN):
        client = another_browser()
        sent = ask(client, address)
        page = re.sub(r"\b\d{6}\b", "its code", client.get(sent.location).text)
        answers.append((sent.status_code, sent.location, page))
    assert answers[0] == answers[1]


def test_a_known_and_an_unknown_address_cost_the_same_writes(client, member, app, database):
    """The statements are the same, except for the email that is rolled back."""
    engine = app.extensions["lead_service"].database.engine
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2].split("(")[0]))
    costs = []
    for address in (KNOWN, UNKNOWN):
        seen.clear()
        ask(client, address)
        costs.append([one for one in seen if one.startswith(("INSERT", "UPDATE", "DELETE"))])
    assert costs[0] == costs[1]
    assert len(costs[0]) == 3


def test_a_stranger_gets_no_email_and_their_address_is_not_kept(client, member, database):
    ask(client, UNKNOWN)
    assert count(database, OutboxMessage) == 0
    with database.read() as session:
        assert session.scalars(select(SignInLink.member_id)).all() == [None]


def link_in(mails) -> str:
    """Return the path of the newest link that was emailed."""
    return re.findall(r"http://127.0.0.1:8000(/desk/sign-in/\S+)", mails()[-1][1].text)[0]


def code_shown(client) -> str:
    return re.findall(r"<strong>(\d{6})</strong>", client.get("/desk/sign-in/sent/").text)[0]


def test_requests_by_strangers_never_keep_a_member_from_signing_in(
    client, another_browser, member, database, mails, at
):
    for minute in range(0, 45, 3):
        at(MONDAY_MORNING + timedelta(minutes=minute))
        stranger = {"REMOTE_ADDR": f"203.0.113.{minute}"}
        assert ask_from(another_browser(), stranger, KNOWN).status_code == 303
    assert count(database, OutboxMessage) == 3  # the mailbox isn't flooded either
    assert ask(client, KNOWN).status_code == 303
    at(MONDAY_MORNING + timedelta(minutes=42 + 14))
    assert press(client, link_in(mails)).location == "/desk/"  # the last that was mailed


def ask_from(client, place: dict, address: str):
    token = hidden(client.get("/desk/sign-in/").text, "csrf_token")
    data = {"csrf_token": token, "email": address}
    return client.post("/desk/sign-in/", data=data, environ_base=place)


def test_a_browser_that_signed_in_before_has_a_separate_limit_of_emails(
    client, another_browser, member, database, mails
):
    ask(client, KNOWN)
    press(client, link_in(mails))
    press(client, "/desk/", "/desk/sign-out/")
    for number in range(25):
        ask_from(another_browser(), {"REMOTE_ADDR": "127.0.0.1"}, f"guess{number}@example.com")
    before = count(database, OutboxMessage)
    for _ in range(links.OWN_MAILS + 1):
        assert ask(client, KNOWN).status_code == 303
    assert count(database, OutboxMessage) == before + links.OWN_MAILS


@pytest.mark.both_engines
def test_another_browser_needs_the_code_of_the_one_that_asked(
    client, another_browser, member, mails, database
):
    ask(client, KNOWN)
    path, thief = link_in(mails), another_browser()
    assert "Enter the code" in thief.get(path).text
    assert press(thief, path, code="wrong").status_code == 422
    phone = another_browser()
    spaced = " ".join(code_shown(client))  # as people copy it
    assert press(phone, path, code=spaced).location == "/desk/"
    assert client.get(path).status_code == 404


def test_a_few_wrong_codes_use_up_a_link(client, another_browser, member, mails):
    ask(client, KNOWN)
    path, thief = link_in(mails), another_browser()
    codes = [press(thief, path, code="x").status_code for _ in range(links.MOST_TRIES)]
    assert codes == [422] * (links.MOST_TRIES - 1) + [404]
    assert client.get(path).status_code == 404


def test_a_client_has_to_wait_and_is_told_how_long(client, member, database):
    for number in range(20):
        assert ask(client, f"guess{number}@example.com").status_code == 303
    before = count(database, SignInLink)
    refused = ask(client, KNOWN)
    assert refused.status_code == 429
    minutes = -(-int(refused.headers["Retry-After"]) // 60)
    assert f"in {minutes} minutes" in refused.text
    assert count(database, SignInLink) == before


def test_signing_out_everywhere_ends_open_links_too(client, another_browser, database, settings):
    sign_in(client, database, settings)
    path = path_of_link(database, settings)
    gone = press(client, "/desk/team/", "/desk/team/me/sign-out")
    assert gone.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert another_browser().get(path).status_code == 404


def test_dead_links_and_cross_site_requests_do_not_count_as_tries(client, member):
    """Any page on the web can make an office's browsers send both."""
    from_elsewhere = {"data": {"email": KNOWN}, "headers": {"Sec-Fetch-Site": "cross-site"}}
    for number in range(30):
        assert client.get(f"/desk/sign-in/{number}wrong/").status_code == 404
        assert client.post("/desk/sign-in/", **from_elsewhere).status_code == 403
    assert ask(client, KNOWN).status_code == 303


def test_an_invalid_address_is_reported_beside_the_field_and_kept(client):
    sent = ask(client, "ann at example")
    assert sent.status_code == 422
    assert 'value="ann at example"' in sent.text
