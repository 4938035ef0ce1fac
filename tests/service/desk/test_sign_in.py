"""Signing in: a link that works once and briefly, and answers that tell nobody who is a member."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from limits import parse
from sqlalchemy import event, func, select

from lead_service.accounts.members import DeskSession, SignInLink
from lead_service.desk.auth import links
from lead_service.desk.auth.sign_in import TRIES
from lead_service.desk.team import membership
from lead_service.emails.models import OutboxMessage
from lead_service.web.tokens import token_hash
from tests.service.conftest import MONDAY_MORNING, Browser
from tests.support.app.desk_client import HERE, MEMBER, path_of_link, press, sign_in
from tests.support.app.visitor_forms import hidden

KNOWN, UNKNOWN = "ann@example.com", "bob@example.com"


def count(database, model) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(model))


def ask(client, address: str):
    return press(client, "/desk/sign-in/", email=address)


@pytest.fixture
def member(app, database) -> None:
    database.write(lambda session: membership.add_member(session, MEMBER, MONDAY_MORNING).id)


@pytest.fixture
def another_browser(app):
    app.test_client_class = Browser
    return app.test_client


def test_a_member_gets_a_mail_whose_link_signs_them_in(client, member, mails, at):
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
def test_of_many_who_press_the_button_together_one_gets_in(database, settings, app, at):
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
        answers.append((sent.status_code, sent.location, client.get(sent.location).text))
    assert answers[0] == answers[1]


def test_a_known_and_an_unknown_address_cost_the_same_writes(client, member, app, database):
    """The statements that reach the database are the same, up to the mail that is taken back."""
    engine = app.extensions["lead_service"].database.engine
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2].split("(")[0]))
    costs = []
    for address in (KNOWN, UNKNOWN):
        seen.clear()
        ask(client, address)
        costs.append([one for one in seen if one.startswith(("INSERT", "UPDATE", "DELETE"))])
    assert costs[0] == costs[1]
    assert len(costs[0]) == 2


def test_a_stranger_gets_no_mail_and_their_address_is_not_kept(client, member, database):
    ask(client, UNKNOWN)
    assert count(database, OutboxMessage) == 0
    with database.read() as session:
        assert session.scalars(select(SignInLink.member_id)).all() == [None]


def test_three_mails_an_hour_leave_for_one_address(client, member, database, at):
    for _ in range(5):
        assert ask(client, KNOWN).status_code == 303
    assert count(database, OutboxMessage) == 3
    at(MONDAY_MORNING + timedelta(minutes=61))
    ask(client, KNOWN)
    assert count(database, OutboxMessage) == 4


def test_a_link_from_the_command_line_is_no_mail(client, member, database, settings):
    for _ in range(links.MAILS_AN_HOUR):
        path_of_link(database, settings)
    ask(client, KNOWN)
    assert count(database, OutboxMessage) == 1


def test_after_ten_tries_an_address_has_to_wait_whoever_asks(another_browser, member):
    addresses = [{"REMOTE_ADDR": f"203.0.113.{number}"} for number in range(11)]
    for place in addresses[:10]:
        assert ask_from(another_browser(), place, KNOWN).status_code == 303
    refused = ask_from(another_browser(), addresses[10], "Ann@Example.COM")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert ask_from(another_browser(), addresses[10], UNKNOWN).status_code == 303


def ask_from(client, place: dict, address: str):
    token = hidden(client.get("/desk/sign-in/").text, "csrf_token")
    data = {"csrf_token": token, "email": address}
    return client.post("/desk/sign-in/", data=data, environ_base=place)


def test_who_goes_on_for_hours_has_to_wait_for_up_to_a_day(app, another_browser, member):
    an_hour = parse(TRIES["address"][0])
    for hour in range(4):
        for number in range(10):
            place = {"REMOTE_ADDR": f"203.0.{hour}.{number}"}
            assert ask_from(another_browser(), place, KNOWN).status_code == 303
        hits = app.extensions["lead_service"].limits.here
        hits.clear(an_hour, "desk-sign-in", "address", token_hash(KNOWN))
    refused = ask_from(another_browser(), {"REMOTE_ADDR": "203.0.113.1"}, KNOWN)
    assert refused.status_code == 429
    assert 3600 < int(refused.headers["Retry-After"]) <= 86_400


def test_after_ten_tries_a_client_has_to_wait_whatever_the_address(client, member, database):
    for number in range(10):
        assert ask(client, f"guess{number}@example.com").status_code == 303
    before = count(database, SignInLink)
    assert ask(client, KNOWN).status_code == 429
    assert count(database, SignInLink) == before


def test_wrong_links_count_as_tries_but_do_not_lock_a_right_one_out(client, database, settings):
    for number in range(10):
        assert client.get(f"/desk/sign-in/{number}wrong/").status_code == 404
    assert client.get("/desk/sign-in/wrong/").status_code == 429
    assert ask(client, KNOWN).status_code == 429
    sign_in(client, database, settings)


def test_what_is_no_address_is_said_beside_the_field_and_kept(client):
    sent = ask(client, "ann at example")
    assert sent.status_code == 422
    assert 'value="ann at example"' in sent.text
