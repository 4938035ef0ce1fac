"""People at the desk by command: what an operator can do when no admin is at hand."""

import os
import sys

import pytest
from sqlalchemy import select

from lead_service import cli
from lead_service.audit import AuditEntry
from lead_service.emails.models import OutboxMessage


@pytest.fixture
def command(monkeypatch, capsys, environment, database):
    """Run a command and return (exit code, what it printed, its complaint)."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("lead_service.schema.fault", lambda _database: None)  # made from the models

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["lead-service", "desk", *arguments])
        mask = os.umask(0o022)
        try:
            with pytest.raises(SystemExit) as ended:
                cli.main()
        finally:
            os.umask(mask)
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


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
        assert "nobody else is an admin" in said
    assert command("role", "bob@example.com", "admin")[0] == 0
    assert command("sign-out", "ann@example.com")[0] == 0
    assert command("remove", "ann@example.com")[0] == 0
    assert command("members")[1] == "bob@example.com  admin\n"


@pytest.mark.parametrize("words", [("role", "x@example.com", "admin"), ("remove", "x@example.com")])
def test_who_is_no_member_is_said_in_one_line(command, words):
    code, _, said = command(*words)
    assert (code, said.count("\n")) == (1, 1)
    assert "no such member" in said


def test_who_is_in_is_not_invited_again(command):
    command("link", "ann@example.com")
    assert "already" in command("invite", "ANN@example.com")[2]
