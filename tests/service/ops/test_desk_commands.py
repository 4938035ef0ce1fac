"""A link to the desk by command, for the first admin and when no admin is at hand."""

from datetime import UTC, datetime

import pytest

from lead_service.desk.auth import links, sessions
from lead_service.desk.team import membership
from tests.support.app.commands import run_here

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def command(monkeypatch, settings, environment, database):
    """Run a command about the desk; return its exit status, stdout and stderr."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        "lead_service.db.schema.fault", lambda _database: None
    )  # created from the models

    return lambda *arguments: run_here("desk", *arguments)


def test_a_mistyped_address_does_not_become_a_member(command):
    _, out, said = command("link", "ann@example.com")
    assert (out.count("\n"), said) == (1, "ann@example.com: admin\n")
    code, out, said = command("link", "anm@example.com")
    assert (code, out) == (1, "")
    assert said.startswith("lead-service: anm@example.com is not a member; ")
    assert "--new" in said
    assert command("link", "ANN@example.com")[2] == "ann@example.com: admin\n"
    assert command("link", "ben@example.com", "--new")[2] == "ben@example.com: member\n"


def test_the_first_person_is_the_admin_although_serve_let_sales_in(command, database, settings):
    links.make_link(database, settings, settings.sales_to[0], NOW)
    assert command("link", "ann@example.com")[0] == 1
    assert command("link", "ann@example.com", "--new")[2] == "ann@example.com: admin\n"


def test_after_the_first_sign_in_everyone_new_is_a_member(command, database, settings):
    links.make_link(database, settings, settings.sales_to[0], NOW)
    database.write(
        lambda session: sessions.start_session(
            session, membership.find_member(session, settings.sales_to[0]), NOW
        )
    )
    assert command("link", "ann@example.com", "--new")[2] == "ann@example.com: member\n"


def test_a_link_leads_to_the_port_that_is_served(command, database, monkeypatch):
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    monkeypatch.delenv("PORT", raising=False)
    assert "http://127.0.0.1:8000/" in command("link", "ann@example.com")[1]
    database.share("http://127.0.0.1:8123/")
    here = "8123" if database.is_sqlite else "8000"  # unknown on PostgreSQL
    assert f"http://127.0.0.1:{here}/" in command("link", "ann@example.com")[1]
    monkeypatch.setenv("PORT", "8124")
    assert "http://127.0.0.1:8124/" in command("link", "ann@example.com")[1]
