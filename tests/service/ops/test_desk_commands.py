"""People at the desk by command: what an operator can do when no admin is at hand."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from lead_service.accounts.audit_log import AuditEntry
from lead_service.desk.auth import links, sessions
from lead_service.desk.team import membership
from lead_service.emails.models import OutboxMessage
from tests.support.app.commands import run_here

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def command(monkeypatch, settings, environment, database):
    """Run a command about the desk: (exit status, what it printed, its complaint)."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        "lead_service.db.schema.fault", lambda _database: None
    )  # made from the models

    return lambda *arguments: run_here("desk", *arguments)


def test_the_first_by_link_is_an_admin_and_the_next_is_invited_by_mail(command, database):
    assert "/desk/sign-in/" in command("link", "ann@example.com")[1]
    assert command("invite", "Bob@example.com", "--name", "Bob")[0] == 0
    assert command("members")[1].splitlines() == [
        "ann@example.com  admin",
        "bob@example.com  member  Bob",
    ]
    with database.read() as session:
        assert session.scalars(select(OutboxMessage.kind)).all() == ["invited"]
        whose = session.scalars(select(AuditEntry.member_id)).all()
    assert whose == [None, None]


def test_roles_change_and_people_go_but_the_last_admin_stays(command):
    command("link", "ann@example.com")
    command("invite", "bob@example.com")
    for refused in (("role", "ann@example.com", "member"), ("remove", "ann@example.com")):
        code, _, said = command(*refused)
        assert code == 1
        assert "no one else is an admin" in said
    assert command("role", "bob@example.com", "admin")[0] == 0
    assert command("sign-out", "ann@example.com")[0] == 0
    assert command("remove", "ann@example.com")[0] == 0
    assert command("members")[1] == "bob@example.com  admin\n"


@pytest.mark.parametrize("words", [("role", "x@example.com", "admin"), ("remove", "x@example.com")])
def test_who_is_no_member_is_said_in_one_line(command, words):
    code, _, said = command(*words)
    assert (code, said.count("\n")) == (1, 1)
    assert "not a member; " in said


def test_who_is_in_is_not_invited_again(command):
    command("link", "ann@example.com")
    assert "already" in command("invite", "ANN@example.com")[2]


def test_a_mistyped_address_does_not_become_a_member(command):
    _, out, said = command("link", "ann@example.com")
    assert (out.count("\n"), said) == (1, "ann@example.com: admin\n")
    code, out, said = command("link", "anm@example.com")
    assert (code, out) == (1, "")
    assert said.startswith("lead-service: anm@example.com is not a member; ")
    assert "--new" in said
    assert command("members")[1] == "ann@example.com  admin\n"
    assert command("link", "ANN@example.com")[2] == "ann@example.com: admin\n"
    assert command("link", "ben@example.com", "--new")[2] == "ben@example.com: member\n"


def test_the_first_person_is_the_admin_although_serve_let_sales_in(command, database, settings):
    links.make_link(database, settings, settings.sales_to[0], NOW)
    assert command("link", "ann@example.com")[0] == 1
    assert command("link", "ann@example.com", "--new")[2] == "ann@example.com: admin\n"


def test_whoever_comes_after_somebody_has_signed_in_is_a_member(command, database, settings):
    links.make_link(database, settings, settings.sales_to[0], NOW)
    database.write(
        lambda session: sessions.start_session(
            session, membership.get_member(session, settings.sales_to[0]), NOW
        )
    )
    assert command("link", "ann@example.com", "--new")[2] == "ann@example.com: member\n"


def test_a_link_leads_to_the_port_that_is_served(command, database, monkeypatch):
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    monkeypatch.delenv("PORT", raising=False)
    assert "http://127.0.0.1:8000/" in command("link", "ann@example.com")[1]
    database.share("http://127.0.0.1:8123/")
    here = "8123" if database.is_sqlite else "8000"  # which PostgreSQL cannot tell
    assert f"http://127.0.0.1:{here}/" in command("link", "ann@example.com")[1]
    monkeypatch.setenv("PORT", "8124")
    assert "http://127.0.0.1:8124/" in command("link", "ann@example.com")[1]
