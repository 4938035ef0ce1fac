"""Access to the desk: strangers reach nothing, and every change needs the desk's token."""

import pytest
from sqlalchemy import select, update

from lead_service.accounts.members import Member, Role
from lead_service.desk import blueprint as door
from lead_service.leads.capture import capture_lead
from lead_service.leads.contact_details import ContactDetails
from lead_service.leads.models import Lead
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import path_of_link, press, sign_in
from tests.support.app.visitor_forms import hidden

ANYBODY, MEMBER, ADMIN = "anybody", "a member", "an admin"
# The role that each route needs. A route that is missing here fails the test.
DESK = {
    ANYBODY: """
        link link_submit passkey_challenge sign_in sign_in_by_passkey sign_in_sent
        sign_in_submit
    """,
    MEMBER: """
        add_passkey ask_spam availability book_call book_call_submit call calls
        cancel_call cancel_call_submit change_leads change_mails clear_flood confirm_call
        correct_email correct_email_submit end_session floods funnel give_call
        give_call_submit host inbox invite_again invite_again_submit keys lead lead_submit
        mail mail_html mail_resume mark_call mark_spam move_call move_call_submit new_lead
        new_lead_submit new_passkey_challenge outbox release remove_note remove_passkey
        rename save_view search sign_out sign_out_everywhere team why
    """,
    ADMIN: """
        change_role erase_at_provider erase_person export_person held_about host_calendars
        host_calendars_submit host_dates host_dates_submit host_form host_form_submit
        host_holidays host_holidays_submit host_time_off host_time_off_submit invite
        lead_json leads_csv new_feed_link new_host new_host_submit privacy_page
        remove_calendar remove_date remove_member remove_time_off sign_out_member
        start_calls start_calls_submit stop_calls trail trail_csv
    """,
}
USERS = {f"desk.{name}": who for who, names in DESK.items() for name in names.split()}
OPEN = {name for name, who in USERS.items() if who == ANYBODY}
ENDING = {  # a session, or changing its role
    *("desk.link_submit", "desk.sign_out", "desk.sign_out_everywhere", "desk.change_role"),
    *("desk.remove_member", "desk.sign_out_member"),
}
# Public parts: their pages need a token or a signature, or
# contain no personal data.
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


def routes(app) -> dict[str, tuple[str, str]]:
    """Return the method and an address of every route under /desk/, by its endpoint."""
    values: dict[str, str | int] = dict.fromkeys(
        ("lead_id", "note_id", "call_id", "host_id", "date_id", "off_id", "feed_id", "passkey_id"),
        1,
    )
    values |= {"member_id": 2, "session_id": 999, "part": "hours", "action": "seen"}
    values |= {"mail_id": "a" * 32, "token": "t" * 43}
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/desk"):
            with app.test_request_context():
                built = rule.build({name: values[name] for name in rule.arguments})
            (method,) = rule.methods - {"HEAD", "OPTIONS"}
            found[rule.endpoint] = method, built[1]
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


def test_every_route_declares_its_role(app):
    assert set(routes(app)) == set(USERS)
    assert door.OPEN == OPEN
    others = {rule.endpoint.split(".")[0] for rule in app.url_map.iter_rules()} - {"desk"}
    assert others <= PUBLIC


def is_let_in(client, name: str, method: str, path: str, token: str) -> bool:
    """Say whether a response comes from the page itself and not from the access check."""
    given = {"csrf_token": token} if method == "POST" else None
    answer = client.open(path, method=method, data=given)
    if answer.status_code == 303 and answer.location == "/desk/sign-in/":
        return name in {"desk.sign_out", "desk.sign_out_everywhere"}
    assert answer.status_code < 500, path
    return answer.status_code != 403


@pytest.mark.parametrize(
    ("who", "may"),
    [(Role.MEMBER, {ANYBODY, MEMBER}), (Role.ADMIN, {ANYBODY, MEMBER, ADMIN})],
)
def test_each_role_reaches_exactly_its_routes(app, client, database, settings, lead, who, may):
    path_of_link(database, settings, "admin@example.com")
    token = ""
    for name, (method, path) in routes(app).items():
        token = token or become(client, database, settings, who)
        assert is_let_in(client, name, method, path, token) == (USERS[name] in may), path
        if name in ENDING:
            token = ""


def become(client, database, settings, who: Role) -> str:
    """Sign the browser in with that role; return the token of its forms."""
    sign_in(client, database, settings)
    change = update(Member).where(Member.email == "ann@example.com")
    back = change.values(role=who, removed_at=None)
    database.write(lambda session: session.execute(back) and None)
    return hidden(client.get("/desk/team/").text, "csrf_token")


def test_a_stranger_is_sent_to_the_sign_in_page_or_refused(app, client, database, lead):
    """Refused with the token of the only form that a stranger sees, too."""
    token = hidden(client.get("/desk/sign-in/").text, "csrf_token")
    for name, (method, path) in routes(app).items():
        if name in OPEN:
            continue
        if method == "GET":
            answer = client.get(path)
            assert (answer.status_code, answer.location) == (303, "/desk/sign-in/"), path
        else:
            assert client.post(path).status_code == 403, path
            answer = client.post(path, data={"csrf_token": token})
            assert answer.status_code == 403 or answer.location == "/desk/sign-in/", path
        assert "ada@example.com" not in answer.text
    assert still_there(database)


def test_other_methods_need_a_session_too(app, client, lead):
    for _, path in routes(app).values():
        for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
            answer = client.open(path, method=method)
            assert answer.status_code in {200, 303, 403, 404, 405}
            assert "ada@" not in answer.text
            if "/sign-in/" not in path:
                assert answer.status_code in {303, 403, 405}, (method, path)


def test_a_member_s_click_without_the_token_changes_nothing(app, client, database, settings, lead):
    sign_in(client, database, settings)
    for method, path in routes(app).values():
        if method == "POST":
            assert client.post(path).status_code == 403, path
            assert client.post(path, data={"csrf_token": "forged"}).status_code == 403, path
    assert still_there(database)
    assert client.get("/desk/").status_code == 200


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("/desk/?view=due&owner=2&q=steel%20works", "/desk/?view=due&owner=2&q=steel+works"),
        ("/desk/leads/1/?x=1", "/desk/leads/1/?x=1"),
        (f"/desk/?q={'x' * 600}", "/desk/"),
    ],
)
def test_a_requested_page_is_shown_after_signing_in(client, database, settings, asked, shown):
    assert client.get(asked).location == "/desk/sign-in/"
    assert press(client, path_of_link(database, settings)).location == shown
