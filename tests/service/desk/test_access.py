"""The desk's door: a stranger gets in nowhere, and nothing is done without the desk's token."""

import pytest
from sqlalchemy import select, update

from lead_service.accounts.members import Member
from lead_service.desk import blueprint as door
from lead_service.leads.capture import capture_lead
from lead_service.leads.contact_details import ContactDetails
from lead_service.leads.models import Lead
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import path_of_link, press, sign_in
from tests.support.app.visitor_forms import hidden

ANYBODY, MEMBER, ADMIN = "anybody", "a member", "an admin"
# Who may use what. A route that is not here fails, so that nobody forgets to say.
DESK = {
    ("desk.sign_in", "GET"): ANYBODY,
    ("desk.sign_in_submit", "POST"): ANYBODY,
    ("desk.sign_in_sent", "GET"): ANYBODY,
    ("desk.link", "GET"): ANYBODY,
    ("desk.link_submit", "POST"): ANYBODY,
    ("desk.passkey_challenge", "POST"): ANYBODY,
    ("desk.sign_in_by_passkey", "POST"): ANYBODY,
    ("desk.new_passkey_challenge", "POST"): MEMBER,
    ("desk.add_passkey", "POST"): MEMBER,
    ("desk.remove_passkey", "POST"): MEMBER,
    ("desk.end_session", "POST"): MEMBER,
    ("desk.sign_out", "POST"): MEMBER,
    ("desk.inbox", "GET"): MEMBER,
    ("desk.lead", "GET"): MEMBER,
    ("desk.search", "GET"): MEMBER,
    ("desk.change_leads", "POST"): MEMBER,
    ("desk.ask_spam", "GET"): MEMBER,
    ("desk.mark_spam", "POST"): MEMBER,
    ("desk.save_view", "POST"): MEMBER,
    ("desk.keys", "GET"): MEMBER,
    ("desk.correct_email", "GET"): MEMBER,
    ("desk.correct_email_submit", "POST"): MEMBER,
    ("desk.new_lead", "GET"): MEMBER,
    ("desk.new_lead_submit", "POST"): MEMBER,
    ("desk.book_call", "GET"): MEMBER,
    ("desk.book_call_submit", "POST"): MEMBER,
    ("desk.invite_again", "GET"): MEMBER,
    ("desk.invite_again_submit", "POST"): MEMBER,
    ("desk.leads_csv", "GET"): ADMIN,
    ("desk.lead_json", "GET"): ADMIN,
    ("desk.lead_submit", "POST"): MEMBER,
    ("desk.add_note", "POST"): MEMBER,
    ("desk.remove_note", "POST"): MEMBER,
    ("desk.release", "POST"): MEMBER,
    ("desk.funnel", "GET"): MEMBER,
    ("desk.outbox", "GET"): MEMBER,
    ("desk.mail", "GET"): MEMBER,
    ("desk.mail_html", "GET"): MEMBER,
    ("desk.mail_retry", "POST"): MEMBER,
    ("desk.mail_seen", "POST"): MEMBER,
    ("desk.mail_take_back", "POST"): MEMBER,
    ("desk.mail_resume", "POST"): MEMBER,
    ("desk.team", "GET"): MEMBER,
    ("desk.rename", "POST"): MEMBER,
    ("desk.sign_out_everywhere", "POST"): MEMBER,
    ("desk.calls", "GET"): MEMBER,
    ("desk.floods", "GET"): MEMBER,
    ("desk.clear_flood", "POST"): MEMBER,
    ("desk.call", "GET"): MEMBER,
    ("desk.mark_call", "POST"): MEMBER,
    ("desk.confirm_call", "POST"): MEMBER,
    ("desk.cancel_call", "GET"): MEMBER,
    ("desk.cancel_call_submit", "POST"): MEMBER,
    ("desk.move_call", "GET"): MEMBER,
    ("desk.move_call_submit", "POST"): MEMBER,
    ("desk.give_call", "GET"): MEMBER,
    ("desk.give_call_submit", "POST"): MEMBER,
    ("desk.availability", "GET"): MEMBER,
    ("desk.host", "GET"): MEMBER,
    ("desk.why", "GET"): MEMBER,
    ("desk.new_host", "GET"): ADMIN,
    ("desk.new_host_submit", "POST"): ADMIN,
    ("desk.host_form", "GET"): ADMIN,
    ("desk.host_form_submit", "POST"): ADMIN,
    ("desk.host_dates", "GET"): ADMIN,
    ("desk.host_dates_submit", "POST"): ADMIN,
    ("desk.remove_date", "POST"): ADMIN,
    ("desk.host_time_off", "GET"): ADMIN,
    ("desk.host_time_off_submit", "POST"): ADMIN,
    ("desk.remove_time_off", "POST"): ADMIN,
    ("desk.host_holidays", "GET"): ADMIN,
    ("desk.host_holidays_submit", "POST"): ADMIN,
    ("desk.host_calendars", "GET"): ADMIN,
    ("desk.host_calendars_submit", "POST"): ADMIN,
    ("desk.remove_calendar", "POST"): ADMIN,
    ("desk.start_calls", "GET"): ADMIN,
    ("desk.start_calls_submit", "POST"): ADMIN,
    ("desk.stop_calls", "POST"): ADMIN,
    ("desk.new_feed_link", "POST"): ADMIN,
    ("desk.invite", "POST"): ADMIN,
    ("desk.change_role", "POST"): ADMIN,
    ("desk.remove_member", "POST"): ADMIN,
    ("desk.sign_out_member", "POST"): ADMIN,
    ("desk.trail", "GET"): ADMIN,
    ("desk.trail_csv", "GET"): ADMIN,
    ("desk.privacy_page", "GET"): ADMIN,
    ("desk.held_about", "POST"): ADMIN,
    ("desk.export_person", "POST"): ADMIN,
    ("desk.erase_person", "POST"): ADMIN,
    ("desk.erase_at_provider", "POST"): ADMIN,
}
OPEN = {route for route, who in DESK.items() if who == ANYBODY}
ENDING = {  # a session, or changing its role
    *("desk.link_submit", "desk.sign_out", "desk.sign_out_everywhere", "desk.change_role"),
    *("desk.remove_member", "desk.sign_out_member"),
}
# The parts that are anybody's as a whole: their pages are found by a token, ask for a signature, or
# hold nobody's data.
PUBLIC = {
    "agenda",
    "assess",
    "book",
    "booking",
    "contact",
    "health",
    "hooks",
    "mailbox",
    "move",
    "static",
}


def routes(app) -> dict[tuple[str, str], str]:
    """Return every route under /desk/, by name and method, with an address of it."""
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/desk"):
            values = {
                "lead_id": 1,
                "member_id": 2,
                "note_id": 1,
                "mail_id": "a" * 32,
                "token": "t" * 43,
            }
            values |= {"call_id": 1, "host_id": 1, "date_id": 1, "off_id": 1, "feed_id": 1}
            values |= {"passkey_id": 1, "session_id": 999}
            values["part"] = "hours"
            with app.test_request_context():
                built = rule.build({name: values[name] for name in rule.arguments})
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                found[rule.endpoint, method] = built[1]
    return found


@pytest.fixture
def lead(app, database) -> int:
    def work(session) -> int:
        lead = capture_lead(
            session, ContactDetails(email="ada@example.com"), at=MONDAY_MORNING, quarantine=True
        )
        return lead.id

    return database.write(work)


def still_there(database) -> bool:
    with database.read() as session:
        lead = session.scalar(select(Lead))
        return lead is not None and lead.quarantine


def test_every_route_says_who_may_use_it(app):
    assert set(routes(app)) == set(DESK)
    assert {name for name, _ in OPEN} == door.OPEN
    others = {rule.endpoint.split(".")[0] for rule in app.url_map.iter_rules()} - {"desk"}
    assert others <= PUBLIC


def is_let_in(client, name: str, method: str, path: str, token: str) -> bool:
    """Say whether the door lets through, whatever the page behind it then says."""
    given = {"csrf_token": token} if method == "POST" else None
    answer = client.open(path, method=method, data=given)
    if answer.status_code == 303 and answer.location == "/desk/sign-in/":
        return name in {"desk.sign_out", "desk.sign_out_everywhere"}
    assert answer.status_code < 500, path
    return answer.status_code != 403


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("a stranger", {ANYBODY}),
        ("somebody who has signed out", {ANYBODY}),
        ("somebody who was removed", {ANYBODY}),
        ("a member", {ANYBODY, MEMBER}),
        ("an admin", {ANYBODY, MEMBER, ADMIN}),
    ],
)
def test_each_role_reaches_exactly_the_routes_it_may_use(
    app, client, database, settings, lead, who, may
):
    path_of_link(database, settings, "admin@example.com")
    token = ""
    for (name, method), path in routes(app).items():
        token = token or become(client, database, settings, who)
        assert is_let_in(client, name, method, path, token) == (DESK[name, method] in may), path
        if MEMBER in may and name in ENDING:
            token = ""


def become(client, database, settings, who: str) -> str:
    """Give the browser a past, and return the token of its forms.

    It is signed in as one role, signed out again, or removed meanwhile.
    """
    if who != "a stranger":
        role = "admin" if who == "an admin" else "member"
        as_they_were = update(Member).where(Member.email == "ann@example.com")
        sign_in(client, database, settings)
        back = as_they_were.values(role=role, removed_at=None)
        database.write(lambda session: session.execute(back) and None)
    if who == "somebody who has signed out":
        press(client, "/desk/", "/desk/sign-out/")
    if who == "somebody who was removed":
        gone = as_they_were.values(removed_at=MONDAY_MORNING)
        database.write(lambda session: session.execute(gone) and None)
    page = "/desk/team/" if who in {"a member", "an admin"} else "/desk/sign-in/"
    return hidden(client.get(page).text, "csrf_token")


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


def test_signing_in_leads_to_the_requested_page(client, database, settings, lead):
    client.get(f"/desk/leads/{lead}/")
    sent = press(client, path_of_link(database, settings))
    assert sent.location == f"/desk/leads/{lead}/"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("/desk/?view=due&owner=2&q=steel%20works", "/desk/?owner=2&q=steel+works&view=due"),
        ("/desk/leads/1/?x=1", "/desk/leads/1/?x=1"),
        ("/desk/leads/1/?lead_id=2", "/desk/leads/1/"),
        ("/desk/?_external=1&_scheme=evil&_anchor=x", "/desk/"),
        ("/desk/?endpoint=desk.team", "/desk/"),
        (f"/desk/?q={'x' * 600}", "/desk/"),
    ],
)
def test_a_shared_address_is_shown_after_signing_in(client, database, settings, asked, shown):
    assert client.get(asked).location == "/desk/sign-in/"
    assert press(client, path_of_link(database, settings)).location == shown
