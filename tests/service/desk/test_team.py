"""The team at the desk: inviting, removing and roles, and the audit log of each change."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from lead_service.accounts.audit_log import Actor, AuditEntry
from lead_service.accounts.members import DeskSession, Member
from lead_service.book.hosts import feed
from lead_service.book.hosts.models import Host
from lead_service.desk.team import membership
from lead_service.leads.models import Lead
from lead_service.privacy import erasure
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import path_of_link, press, sign_in
from tests.support.app.hosts import add_host, trail
from tests.support.app.personal_data import write
from tests.support.app.stored_data import kept, mentions
from tests.support.app.visitor_forms import book

ANN, BOB = "ann@example.com", "bob@example.com"


@pytest.fixture
def bob(database, admin) -> int:
    return database.write(lambda session: membership.add_member(session, BOB, MONDAY_MORNING).id)


def member(database, id: int) -> Member:
    with database.read() as session:
        return session.get_one(Member, id)


def test_the_reader_of_an_invitation_can_sign_in(client, another_browser, admin, mails):
    form = {"email": "Cy@Example.com", "name": "Cy", "role": "member"}
    assert press(client, "/desk/team/", **form).location == "/desk/team/"
    ((row, message),) = mails()
    assert (row.kind, row.address) == ("invited", "cy@example.com")
    assert "ann@example.com invited you" in message.text
    assert "http://127.0.0.1:8000/desk/sign-in/\n" in message.text
    cy = another_browser()
    press(cy, "/desk/sign-in/", email="cy@example.com")
    link = next(line for line in mails()[-1][1].text.splitlines() if "/desk/sign-in/" in line)
    assert press(cy, link.removeprefix("http://127.0.0.1:8000")).location == "/desk/"
    assert "<bdi>Cy</bdi>" in client.get("/desk/team/").text


def test_a_member_is_not_invited_again_and_the_input_stays(client, admin, mails):
    sent = press(client, "/desk/team/", email="ANN@example.com", name="Anna", role="member")
    assert sent.status_code == 422
    assert "already a member" in sent.text
    assert 'value="Anna"' in sent.text
    assert mails() == []


def test_an_invalid_invitation_is_reported_beside_the_field(client, admin, mails):
    for form in [
        {"email": "no address", "role": "member"},
        {"email": "cy@example.com", "role": "owner"},
        {"email": "cy@example.com"},
        {"email": "cy@example.com", "role": "member", "name": "n" * 121},
    ]:
        sent = press(client, "/desk/team/", **form)
        assert sent.status_code == 422, form
        assert "Error: " in sent.text
        assert mails() == []


def test_a_removed_member_who_is_invited_again_gets_the_new_role(client, database, bob, mails):
    act(client, bob, "remove")
    press(client, "/desk/team/", email=BOB, role="admin", name="")
    assert (member(database, bob).role, member(database, bob).removed_at) == ("admin", None)


def act(client, id: int, deed: str, **fields: str):
    return press(client, "/desk/team/", f"/desk/team/{id}/{deed}", **fields)


def test_a_removed_member_is_out_at_once_and_their_open_leads_want_an_owner(
    client, another_browser, database, settings, bob
):
    browser = another_browser()
    sign_in(browser, database, settings, BOB)

    def own(session) -> None:
        for number, stage in enumerate(("new", "won")):
            lead = kept(session, email=f"l{number}@example.com", at=MONDAY_MORNING)
            lead.owner_id, lead.stage = bob, stage

    database.write(own)
    assert act(client, bob, "remove").status_code == 303
    assert browser.get("/desk/").location == "/desk/sign-in/"
    with database.read() as session:
        owned = session.execute(select(Lead.owner_id, Lead.version).order_by(Lead.id)).all()
        assert (
            session.scalars(select(DeskSession).where(DeskSession.member_id == bob)).one().ended_at
        )
    assert owned == [(None, 2), (bob, 1)]
    assert BOB not in client.get("/desk/team/").text


def test_a_removed_host_is_not_offered_and_their_calls_are_listed(
    client, another_browser, context, database, settings, bob, mails
):
    host_id = add_host(database, "Bob Example")
    with database.read() as session:
        link = feed.feed_link(settings, session.get_one(Host, host_id))
    path = link.removeprefix(settings.public_url.rstrip("/"))
    page = book(client, host=str(host_id))
    assert "Ada Example" in client.get(path).text
    machines = [another_browser() for _ in range(2)]
    for machine in machines:
        sign_in(machine, database, settings, BOB)
    sent = act(client, bob, "remove")
    assert sent.location == "/desk/calls/?view=left"
    listed = client.get(sent.location).text
    assert "Ada Example" in listed and "Calls to reassign: 1." in listed
    assert client.get(path).status_code == 404
    assert {machine.get("/desk/").status_code for machine in machines} == {303}
    assert "Bob Example" not in client.get("/book/").text
    assert client.get(page).status_code == 200
    assert "booking_for_host" not in {one.kind for row, one in mails() if row.address == BOB}


def test_former_members_and_hosts_can_be_erased_and_present_ones_stay(
    client, database, settings, bob
):
    host_id = add_host(database, "Bob Example")
    for is_left in (False, True):
        database.write(
            lambda session: erasure.erase(session, settings, BOB, Actor(MONDAY_MORNING)) and None
        )
        assert bool(mentions(database, BOB, "Bob Example")) is not is_left
        if not is_left:
            act(client, bob, "remove")
    assert member(database, bob).name == f"former member {bob}"
    with database.read() as session:
        assert session.get_one(Host, host_id).name == f"former host {host_id}"


def test_an_ip_address_as_the_site_disables_passkeys(client, admin):
    assert "Passkeys don\u2019t work on an IP address" in client.get("/desk/team/").text
    for path in ("/desk/sign-in/passkey/challenge", "/desk/team/me/passkeys/challenge"):
        assert press(client, "/desk/team/", path).status_code == 404


@pytest.mark.parametrize(("deed", "fields"), [("remove", {}), ("role", {"role": "member"})])
def test_the_last_admin_stays_one(client, database, bob, deed, fields):
    sent = act(client, 1, deed, **fields)
    assert sent.status_code == 409
    assert "must be at least one admin" in sent.text
    assert (member(database, 1).role, member(database, 1).removed_at) == ("admin", None)
    act(client, bob, "role", role="admin")
    assert act(client, 1, deed, **fields).status_code == 303


@pytest.mark.both_engines
def test_one_of_two_admins_who_demote_each_other_stays_admin(database, bob, app):
    made = update(Member).values(role="admin")
    database.write(lambda session: session.execute(made) and None)
    start = threading.Barrier(2)

    def demote(id: int) -> bool:
        start.wait()

        def work(session) -> None:
            one = session.get_one(Member, id)
            membership.change_role(session, one, "member", Actor(MONDAY_MORNING))

        try:
            database.write(work)
        except membership.LastAdmin:
            return False
        return True

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(demote, (1, bob))) == [False, True]


def test_signing_out_everywhere_ends_every_browser(
    client, another_browser, database, settings, bob
):
    first, second = another_browser(), another_browser()
    for browser in (first, second):
        sign_in(browser, database, settings, BOB)
    assert press(first, "/desk/team/", "/desk/team/me/sign-out").location == "/desk/sign-in/"
    assert [browser.get("/desk/").status_code for browser in (first, second)] == [303, 303]
    assert client.get("/desk/").status_code == 200
    sign_in(second, database, settings, BOB)
    assert act(client, bob, "sign-out").status_code == 303
    assert second.get("/desk/").status_code == 303


def test_a_members_page_has_no_actions_for_admins(another_browser, database, settings, bob):
    browser = another_browser()
    sign_in(browser, database, settings, BOB)
    text = browser.get("/desk/team/").text
    for theirs in ("Invite", "Remove", "Make an admin", "Audit log"):
        assert theirs not in text
    assert "Sign out everywhere" in text


def test_a_name_is_shown_to_the_other_members(client, database, admin):
    sent = press(
        client, "/desk/team/", "/desk/team/me/name", own_name="  Ann\u202e Example ", city="Berlin"
    )
    assert sent.status_code == 303
    assert member(database, 1).name == "Ann Example"
    assert press(client, "/desk/team/", "/desk/team/me/name", own_name=" ").status_code == 422


def test_the_audit_log_has_sign_ins_and_exports_and_an_admin_can_export_it(
    client, admin, another_browser, database, settings
):
    write(client, "eve@example.com", "Eve")
    client.get("/desk/leads.csv")
    client.get("/desk/leads/1.json")
    press(client, "/desk/privacy/", "/desk/privacy/export", email="eve@example.com")
    browser, path = another_browser(), path_of_link(database, settings, ANN)
    press(browser, path)
    press(browser, "/desk/team/", path)  # it has been used
    press(browser, "/desk/team/", "/desk/sign-out/")
    whole = client.get("/desk/trail.csv").text
    found = [line.split(",")[1:4] for line in whole.splitlines()[1:]]
    assert found == [
        ["", "member_added", "member 1"],
        ["1", "leads_exported", "leads"],
        ["1", "lead_exported", "lead 1"],
        ["1", "exported", "lead 1"],
        ["", "link_made", "member 1"],
        ["1", "signed_in", "member 1"],
        ["", "sign_in_refused", "member 1"],
        ["1", "signed_out", "member 1"],
        ["1", "trail_exported", "trail"],
    ]
    assert "eve" not in whole.lower()


def test_every_change_of_the_team_is_in_the_audit_log_without_names(client, database, bob):
    press(client, "/desk/team/", email="cy@example.com", name="Cy", role="member")
    act(client, bob, "role", role="admin")
    act(client, bob, "role", role="admin")
    act(client, bob, "sign-out")
    act(client, bob, "remove")
    press(client, "/desk/team/", "/desk/team/me/name", own_name="Ann", city="Berlin")
    assert trail(database) == [
        (None, "member_added", "member 1", {"role": "admin"}),
        (1, "member_invited", "member 3", {"role": "member"}),
        (1, "role_changed", "member 2", {"role": "admin"}),
        (1, "signed_out_everywhere", "member 2", {"sessions": 0}),
        (1, "member_removed", "member 2", {"leads_without_owner": 0}),
        (1, "renamed", "member 1", {}),
    ]
    client.get("/desk/team/")  # says what was done
    page = client.get("/desk/trail/").text
    assert (
        page.index("Name changed")
        < page.index("Removed")
        < page.index("Invited from the command line")
    )
    assert "role: admin" in page
    assert "Removed" not in client.get("/desk/trail/?about=member+1").text


def test_refused_changes_are_not_in_the_audit_log(client, database, admin):
    before = trail(database)
    act(client, 1, "remove")
    act(client, 77, "remove")
    act(client, 10**12, "role", role="admin")
    press(client, "/desk/team/", email="ann@example.com", role="member")
    assert trail(database) == before


def test_destructive_actions_ask_for_one_confirmation(client, admin, database):
    database.write(lambda session: membership.add_member(session, BOB, MONDAY_MORNING).id)
    page = client.get("/desk/team/").text
    asked = re.findall(
        r'<details class="desk-ask-once">.*?action="/desk/team/([^"]+)".*?</details>', page, re.S
    )
    for action in ("2/role", "2/sign-out", "2/remove", "me/sign-out"):
        assert action in asked
    sure = ("role", "sign-out", "remove", "end")
    assert {
        one for one in re.findall('action="/desk/team/([^"]+)"', page) if one.endswith(sure)
    } == {*asked}


def test_the_audit_log_names_people_until_they_are_erased(client, admin, database):
    def work(session) -> None:
        lead = kept(session, email="dana@example.com", name="Dana Field", at=MONDAY_MORNING)
        for subject in (f"lead {lead.id}", "lead 77", "member 1", "lead 9999999999999"):
            session.add(AuditEntry(at=MONDAY_MORNING, what="lead_changed", subject=subject))

    database.write(work)
    page = client.get("/desk/trail/").text
    for shown in ("<bdi>Dana Field</bdi>", "Lead 77", "<bdi>ann@example.com</bdi></a>"):
        assert shown in page
    assert "Changes to <bdi>Dana Field</bdi>" in client.get("/desk/trail/?about=lead+1").text
