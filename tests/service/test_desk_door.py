"""The desk's door: a stranger gets in nowhere, and nothing is done without the desk's token."""

import pytest
from sqlalchemy import func, select

from lead_service.desk import blueprint as door
from lead_service.leads import Lead, capture
from lead_service.members import DeskSession, Member

from .conftest import MONDAY_MORNING
from .desk import path_of_link, press, sign_in
from .journeys import hidden

OPEN = {
    ("desk.sign_in", "GET"),
    ("desk.sign_in_submit", "POST"),
    ("desk.sign_in_sent", "GET"),
    ("desk.link", "GET"),
    ("desk.link_submit", "POST"),
}
GUARDED = {
    ("desk.inbox", "GET"),
    ("desk.lead", "GET"),
    ("desk.release", "POST"),
    ("desk.erase", "GET"),
    ("desk.erase_submit", "POST"),
    ("desk.outbox", "GET"),
    ("desk.mail", "GET"),
    ("desk.sign_out", "POST"),
}


def routes(app) -> dict[tuple[str, str], str]:
    """Return every route under /desk/, by name and method, with an address of it."""
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/desk"):
            values = {"lead_id": 1, "mail_id": "a" * 32, "token": "t" * 43}
            with app.test_request_context():
                built = rule.build({name: values[name] for name in rule.arguments})
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                found[rule.endpoint, method] = built[1]
    return found


@pytest.fixture
def lead(app, database) -> int:
    def work(session) -> int:
        lead, _ = capture(session, email="ada@example.com", at=MONDAY_MORNING, quarantine=True)
        return lead.id

    return database.write(work)


def still_there(database) -> bool:
    with database.read() as session:
        lead = session.scalar(select(Lead))
        return lead is not None and lead.quarantine


def test_every_route_of_the_desk_is_listed_here(app):
    assert set(routes(app)) == OPEN | GUARDED
    assert {name for name, _ in OPEN} == door.OPEN


def test_a_stranger_is_sent_to_the_sign_in_page_or_refused(app, client, database, lead):
    for (name, method), path in routes(app).items():
        if (name, method) in OPEN:
            continue
        answer = client.open(path, method=method)
        if method == "GET":
            assert (answer.status_code, answer.location) == (303, "/desk/sign-in/"), path
        else:
            assert answer.status_code == 403, path
        assert "ada@example.com" not in answer.text
    assert still_there(database)


def test_a_stranger_with_a_valid_token_is_refused_too(app, client, database, lead):
    for (name, method), path in routes(app).items():
        if method == "POST" and (name, method) in GUARDED:
            assert press(client, "/desk/sign-in/", path).status_code == 403, path
    assert still_there(database)


def test_other_methods_open_nothing(app, client, lead):
    for path in routes(app).values():
        for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
            answer = client.open(path, method=method)
            assert answer.status_code in {200, 303, 403, 404, 405}
            assert "ada@" not in answer.text
            if "/sign-in/" not in path:
                assert answer.status_code in {303, 403, 405}, (method, path)


def test_a_member_s_click_without_the_token_changes_nothing(app, client, database, settings, lead):
    sign_in(client, database, settings)
    for (_, method), path in routes(app).items():
        if method == "POST":
            assert client.post(path).status_code == 403, path
            assert client.post(path, data={"csrf_token": "forged"}).status_code == 403, path
    assert still_there(database)
    assert client.get("/desk/").status_code == 200


def test_another_site_s_form_is_refused_even_with_the_token(client, database, settings, lead):
    sign_in(client, database, settings)
    page = f"/desk/leads/{lead}/"
    token = hidden(client.get(page).text, "csrf_token")
    sent = client.post(
        page + "erase", data={"csrf_token": token}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert sent.status_code == 403
    assert still_there(database)


def test_looking_changes_nothing(app, client, database, settings, lead):
    sign_in(client, database, settings)
    for (_, method), path in routes(app).items():
        if method == "GET":
            client.get(path)
    assert still_there(database)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(DeskSession)) == 1
        assert session.scalar(select(func.count()).select_from(Member)) == 1


def test_pages_of_the_desk_are_never_stored_by_browsers_or_proxies(app, client, database, settings):
    sign_in(client, database, settings)
    for (_, method), path in routes(app).items():
        if method == "GET":
            answer = client.get(path)
            assert answer.headers["Cache-Control"] == "no-store", path
            assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]


def test_the_page_that_was_asked_for_comes_after_signing_in(client, database, settings, lead):
    client.get(f"/desk/leads/{lead}/")
    sent = press(client, path_of_link(database, settings))
    assert sent.location == f"/desk/leads/{lead}/"
