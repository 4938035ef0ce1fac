"""Sessions at the desk: created at sign-in; ended by sign-out, removal and time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from lead_service.accounts.members import DeskSession, Member
from lead_service.emails.models import OutboxMessage
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import HERE, MEMBER, path_of_link, press, sign_in
from tests.support.app.visitor_forms import hidden


def test_signing_in_makes_a_new_session_and_ends_the_old(
    client, another_browser, database, settings
):
    sign_in(client, database, settings)
    with client.session_transaction(base_url=HERE) as cookie:
        before = dict(cookie)
    press(client, path_of_link(database, settings))
    with client.session_transaction(base_url=HERE) as cookie:
        assert cookie["desk"] != before["desk"]
        assert "csrf_token" not in cookie
    thief = another_browser()
    with thief.session_transaction(base_url=HERE) as cookie:
        cookie["desk"] = before["desk"]
    assert thief.get("/desk/").status_code == 303


def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(
    client, another_browser, database, settings
):
    sign_in(client, database, settings)
    with client.session_transaction(base_url=HERE) as cookie:
        id = cookie["desk"]
    copy = another_browser()
    with copy.session_transaction(base_url=HERE) as cookie:
        cookie["desk"] = id
    assert copy.get("/desk/").status_code == 200
    assert press(client, "/desk/", "/desk/sign-out/").location == "/desk/sign-in/"
    assert client.get("/desk/").status_code == 303
    assert copy.get("/desk/").status_code == 303


def test_a_member_sees_and_ends_only_their_own_sessions(
    client, another_browser, database, settings
):
    phone, other = another_browser(), another_browser()
    sign_in(phone, database, settings)
    sign_in(other, database, settings, "other@example.com")
    with database.read() as session:
        [their_phone, others] = session.scalars(select(DeskSession.id).order_by(DeskSession.id))
    link = path_of_link(database, settings)
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    client.post(
        link,
        data={"csrf_token": hidden(client.get(link).text, "csrf_token")},
        headers={"User-Agent": agent},
    )
    page = client.get("/desk/team/").text
    assert "Firefox on Linux" in page and "This browser" in page
    end = "/desk/team/me/sessions/{}/end"
    assert end.format(their_phone) in page and end.format(others) not in page
    assert press(client, "/desk/team/", end.format(others)).status_code == 404
    assert press(client, "/desk/team/", end.format(their_phone)).status_code == 303
    assert phone.get("/desk/").status_code == 303
    assert other.get("/desk/").status_code == client.get("/desk/").status_code == 200


def test_a_session_that_is_not_used_for_twelve_hours_is_over(client, database, settings, at):
    at(MONDAY_MORNING)
    sign_in(client, database, settings)
    at(MONDAY_MORNING + timedelta(hours=11, minutes=59))
    assert client.get("/desk/").status_code == 200
    at(MONDAY_MORNING + timedelta(hours=23))
    assert client.get("/desk/").status_code == 200
    at(MONDAY_MORNING + timedelta(hours=35))
    assert client.get("/desk/").status_code == 303


def test_the_limits_of_a_session_are_settings(client, database, settings, app, at):
    known = app.extensions["lead_service"]
    shorter = settings.model_copy(update={"desk_idle_hours": 1, "desk_session_days": 1})
    app.extensions["lead_service"] = replace(known, settings=shorter)
    at(MONDAY_MORNING)
    sign_in(client, database, settings)
    at(MONDAY_MORNING + timedelta(minutes=59))
    assert client.get("/desk/").status_code == 200
    at(MONDAY_MORNING + timedelta(minutes=119))
    assert client.get("/desk/").status_code == 303


def test_a_session_is_over_after_seven_days_however_much_it_is_used(client, database, settings, at):
    at(MONDAY_MORNING)
    sign_in(client, database, settings)
    for hours in range(0, 7 * 24, 11):
        at(MONDAY_MORNING + timedelta(hours=hours))
        assert client.get("/desk/").status_code == 200, hours
    at(MONDAY_MORNING + timedelta(days=7))
    assert client.get("/desk/").status_code == 303


def test_a_removed_member_is_out_at_once(client, database, settings):
    sign_in(client, database, settings)
    path = path_of_link(database, settings)
    gone = update(Member).values(removed_at=MONDAY_MORNING)
    database.write(lambda session: session.execute(gone) and None)
    assert client.get("/desk/").status_code == 303
    assert client.get(path).status_code == 404
    press(client, "/desk/sign-in/", email=MEMBER)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 0


def test_the_first_member_is_the_admin_and_no_member_is_added_twice(database, settings, app):
    for address in (MEMBER, "ann@example.com", "cy@example.com"):
        path_of_link(database, settings, address)
    with database.read() as session:
        members = session.execute(select(Member.email, Member.role).order_by(Member.id)).all()
    assert members == [(MEMBER.lower(), "admin"), ("cy@example.com", "member")]


def test_signed_in_members_are_not_asked_again(client, database, settings):
    sign_in(client, database, settings)
    assert client.get("/desk/sign-in/").location == "/desk/"


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_clock_five_minutes_off_spoils_neither_a_fresh_link_nor_a_session(
    client, database, settings, at, minutes
):
    at(MONDAY_MORNING)
    path = path_of_link(database, settings)
    at(MONDAY_MORNING + timedelta(minutes=minutes))
    assert press(client, path).status_code == 303
    at(MONDAY_MORNING)
    assert client.get("/desk/").status_code == 200
