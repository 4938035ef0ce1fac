"""Passkeys: signing in to the desk with a verified device instead of an email."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from lead_service.accounts.audit_log import Actor
from lead_service.accounts.members import Passkey, Role
from lead_service.desk.auth import passkeys
from lead_service.desk.team import membership
from lead_service.emails.models import OutboxMessage
from lead_service.privacy import export
from tests.service.conftest import MONDAY_MORNING, Browser
from tests.support.app.authenticator import Authenticator
from tests.support.app.desk_client import path_of_link, press, sign_in
from tests.support.app.hosts import trail

ANN, BOB = "ann@example.com", "bob@example.com"
OWN, SIGN_IN = "/desk/team/me/passkeys/", "/desk/sign-in/passkey/"
HERE = "http://localhost:8000/"
LATER = MONDAY_MORNING + timedelta(hours=1)


@pytest.fixture
def environment(environment) -> dict[str, str]:
    return environment | {"PUBLIC_URL": "http://localhost:8000/"}


class NamedHost(Browser):
    """A browser that opened the site by its host name."""

    def open(self, *args, **kwargs):
        kwargs["headers"] = {"Host": "localhost:8000"} | dict(kwargs.get("headers") or {})
        return super().open(*args, **kwargs)


@pytest.fixture
def browser(app):
    app.test_client_class = NamedHost
    return app.test_client


@pytest.fixture
def ann(browser, database, settings, at):
    """Ann's browser, signed in."""
    sign_in(client := browser(), database, settings, ANN)
    return client


@pytest.fixture
def device(ann, at) -> Authenticator:
    """Ann's device, with her passkey."""
    device = Authenticator()
    assert add(ann, device).status_code == 303
    at(LATER)
    return device


def test_signing_in_by_email_offers_passkeys_until_there_is_one(
    ann, browser, device, database, settings
):
    for who, is_offered in ((ANN, False), (BOB, True)):
        client, path = browser(), path_of_link(database, settings, who)
        assert press(client, path).status_code == 303
        assert ("Add a passkey</a> to sign in" in client.get("/desk/").text) is is_offered


def add(client, device: Authenticator, name: str = "Blue key"):
    options = press(client, "/desk/team/", f"{OWN}challenge").json
    return press(client, "/desk/team/", OWN, passkey_name=name, credential=device.make(options))


def challenge(client) -> dict:
    return press(client, "/desk/sign-in/", f"{SIGN_IN}challenge").json


def send(client, answer: str):
    return press(client, "/desk/sign-in/", SIGN_IN, credential=answer)


def enter(client, device: Authenticator):
    return send(client, device.sign(challenge(client)))


def test_a_passkey_signs_in_without_an_email_and_is_in_the_audit_log(
    ann, browser, device, database
):
    phone = browser()
    assert enter(phone, device).location == "/desk/"
    page = phone.get("/desk/team/").text
    assert "Blue key" in page and "ann@example.com" in page
    assert press(phone, "/desk/team/", f"{OWN}1/remove").status_code == 303
    assert enter(browser(), device).status_code == 422
    assert trail(database)[-4:] == [
        (1, "passkey_added", "member 1", {"passkey": 1}),
        (1, "signed_in", "member 1", {"passkey": 1}),
        (1, "passkey_removed", "member 1", {"passkey": 1}),
        (None, "sign_in_refused", "unknown passkey", {}),
    ]
    with database.read() as session:
        assert session.scalars(select(OutboxMessage)).all() == []


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("origin", "http://localhost:8001"),
        ("host", "evil.example"),
        ("verifies", False),
        ("count", 0),  # a cloned device has an older counter
        ("user", "Mg"),
        ("key", Authenticator().key),
    ],
)
def test_a_passkey_of_another_site_or_member_or_a_copy_is_refused(
    browser, device, database, at, attribute, value
):
    assert enter(browser(), device).status_code == 303
    at(LATER + timedelta(minutes=1))
    setattr(device, attribute, value)
    thief = browser()
    refused = enter(thief, device)
    assert refused.status_code == 422 and "didn\u2019t sign you in" in refused.text
    assert thief.get("/desk/").status_code == 303
    assert trail(database)[-1] == (None, "sign_in_refused", "member 1", {})


def test_a_challenge_works_once_in_its_browser_and_for_five_minutes(browser, device, at):
    device.step = 0  # so that the counter is not the reason
    client, other = browser(), browser()
    answer = device.sign(challenge(client))
    second = device.sign(challenge(other))
    assert send(other, answer).status_code == 422
    assert send(other, second).status_code == 422  # one try per challenge
    with client.session_transaction(base_url=HERE) as cookie:
        copied = dict(cookie)
    at(LATER + passkeys.CHALLENGE_LIFE - timedelta(seconds=1))
    assert send(client, answer).status_code == 303
    with other.session_transaction(base_url=HERE) as cookie:
        cookie.update(copied)
    assert send(other, answer).status_code == 422
    at(LATER + passkeys.CHALLENGE_LIFE)
    answer = device.sign(challenge(other))
    at(LATER + 2 * passkeys.CHALLENGE_LIFE)
    assert send(other, answer).status_code == 422


@pytest.mark.parametrize("answer", ["", "{}", "[" * 9000, '{"id": 1}', '{"id": "\u2603"}'])
def test_an_invalid_passkey_is_refused(ann, browser, answer):
    challenge(client := browser())
    assert send(client, answer).status_code == 422
    options = press(ann, "/desk/team/", f"{OWN}challenge")
    assert options.status_code == 200
    form = {"passkey_name": "x", "credential": answer}
    assert press(ann, "/desk/team/", OWN, **form).status_code == 422


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("origin", "http://localhost:8001"), ("host", "evil.example"), ("verifies", False)],
)
def test_a_passkey_is_added_only_here_and_with_its_member_verified(ann, attribute, value):
    setattr(device := Authenticator(), attribute, value)
    assert "couldn\u2019t add" in add(ann, device).text
    device = Authenticator()
    assert add(ann, device, name=" ").status_code == 422
    assert [add(ann, device).status_code for _ in range(2)] == [303, 422]


def test_members_have_only_their_own_passkeys_until_they_are_removed(
    ann, browser, device, database, settings
):
    sign_in(bob := browser(), database, settings, BOB)
    assert add(bob, Authenticator(), name="Key ring").status_code == 303
    assert "Blue key" not in bob.get("/desk/team/").text
    assert press(bob, "/desk/team/", f"{OWN}1/remove").status_code == 404

    def leave(session) -> None:
        ann, bob = (membership.find_member(session, email) for email in (ANN, BOB))
        held = export.export_data(session, settings, ANN)["passkey"]
        assert [one["name"] for one in held] == ["Blue key"]
        membership.change_role(session, bob, Role.ADMIN, Actor(LATER, ann))
        membership.remove(session, ann, Actor(LATER, bob))
        membership.add_member(session, ANN, LATER)

    database.write(leave)
    assert enter(browser(), device).status_code == 422
    with database.read() as session:
        assert session.scalars(select(Passkey.name)).all() == ["Key ring"]
