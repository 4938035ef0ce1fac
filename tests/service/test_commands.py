"""The commands as an operator types them: what is wrong is said in one line, in words."""

import os
import re
import sqlite3
import sys
from pathlib import Path

import pytest

from lead_service import cli, schema
from lead_service.db import Database

from .running import free_port

ROOT = Path(__file__).parents[2]
NOBODY = "postgresql://ann:hunter2@127.0.0.1:1/advisory"


@pytest.fixture
def var(tmp_path) -> Path:
    return tmp_path / "var"


@pytest.fixture
def given(monkeypatch, var, site_dir) -> pytest.MonkeyPatch:
    """Set the environment of the commands; a test may add to it with `given.setenv`."""
    own = {"VAR_DIR": var, "SITE_DIR": site_dir, "SALES_TO": "a@example.com", "PORT": free_port()}
    for name, value in own.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return monkeypatch


@pytest.fixture
def command(given, capsys):
    """Run a command here and return (exit code, what it printed, its complaint)."""

    def run(*arguments: str) -> tuple[int, str, str]:
        given.setattr(sys, "argv", ["lead-service", *arguments])
        mask = os.umask(0o022)
        try:
            with pytest.raises(SystemExit) as ended:
                cli.main()
        finally:
            os.umask(mask)
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


@pytest.fixture
def refused(command):
    """Run a command that must be refused, and return the one line that says why."""

    def run(*arguments: str) -> str:
        code, _, said = command(*arguments)
        assert code != 0
        assert len(said.splitlines()) == 1
        return said

    return run


def change(var: Path, statement: str) -> None:
    with sqlite3.connect(var / "lead_service.db") as connection:
        connection.execute(statement)
    connection.close()


# -- The first host ---------------------------------------------------------------------------


def test_after_migrate_visitors_can_book(command):
    assert command("migrate")[0] == 0
    code, shown, _ = command("host")
    assert code == 0
    assert "mon 09:00-17:00" in shown
    assert command("check")[0] == 0


def test_check_says_when_no_host_takes_calls(command, refused):
    command("migrate")
    command("host", "--hours", "")
    assert refused("check") == "no host takes calls; run `lead-service host`\n"


def test_check_does_not_count_a_host_who_is_not_active(command, refused, var):
    command("migrate")
    change(var, "UPDATE host SET is_active = 0")
    assert "no host takes calls" in refused("check")


def test_the_host_command_makes_the_host_that_is_missing(command, var):
    command("migrate")
    change(var, "DELETE FROM opening_hours")
    change(var, "DELETE FROM host")
    code, shown, _ = command("host", "--name", "Ann Example")
    assert code == 0
    assert shown.startswith("Ann Example <a@example.com>")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--name", "Ann\nBcc: all@example.com"),
        ("--name", "Ann\x00"),
        ("--name", "Ann\u2028Example"),
        ("--name", "\udcff"),
        ("--name", "a" * 121),
        ("--meeting-link", "https://"),
        ("--meeting-link", "https://a b"),
        ("--meeting-link", "https://[broken"),
        ("--meeting-link", "https://host:port/"),
        ("--meeting-link", "https://meet.example.com/\nann"),
        ("--meeting-link", "http://meet.example.com/"),
        ("--meeting-link", "https://meet.example.com/" + "a" * 476),
    ],
)
def test_a_host_that_mails_could_not_carry_is_refused(command, refused, option, value):
    command("migrate")
    before = command("host")
    assert option[2:] in refused("host", option, value)
    assert command("host") == before


def test_the_longest_name_and_link_are_kept(command):
    command("migrate")
    name, link = "a" * 120, "https://meet.example.com/" + "a" * 475
    code, shown, _ = command("host", "--name", name, "--meeting-link", link)
    assert code == 0
    assert name in shown
    assert link in shown


def test_check_fails_while_mails_that_failed_were_not_looked_at(command, refused, var):
    command("migrate")
    columns = "id, kind, address, state, attempts, created_at, due_at, next_at, reason, alarm_at"
    at = "'2026-03-02 09:00:00.000000'"
    values = f"'{'0' * 32}', 'result', 'a@b.test', 'failed', 1, {at}, {at}, {at}, '', {at}"
    change(var, f"INSERT INTO outbox ({columns}) VALUES ({values})")
    assert refused("check") == "Mails that the provider refused: 1.\n"
    change(var, "UPDATE outbox SET alarm_at = NULL")
    assert command("check")[0] == 0


# -- One line, no traceback -------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        *([["desk", word] for word in ("link", "invite", "remove", "sign-out")]),
        *(["export"], ["erase", "--yes"]),
    ],
    ids=" ".join,
)
def test_what_is_no_address_is_refused_by_every_command(refused, words):
    assert "'x' is not a mail address" in refused(*words, "x")


@pytest.mark.parametrize(
    "words",
    [
        ["migrate"],
        ["host"],
        ["check"],
        ["resume"],
        ["retention"],
        ["desk", "link", "a@example.com"],
        ["export", "a@example.com"],
        ["erase", "--yes", "a@example.com"],
        ["serve"],
    ],
    ids=" ".join,
)
def test_a_database_that_does_not_answer_is_one_line(given, refused, words):
    given.setenv("DATABASE_URL", NOBODY)
    said = refused(*words)
    assert "DATABASE_URL: cannot be used" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("word", ["migrate", "serve", "host", "check"])
def test_the_schema_of_a_later_program_is_left_alone(command, refused, var, word):
    command("migrate")
    change(var, "UPDATE alembic_version SET version_num = '9999'")
    assert "newer than this program" in refused(word)


def test_a_folder_that_cannot_be_made_is_named(given, refused, tmp_path):
    (tmp_path / "file").write_text("")
    given.setenv("VAR_DIR", str(tmp_path / "file" / "var"))
    assert "VAR_DIR: cannot be used" in refused("migrate")


@pytest.mark.parametrize(
    ("address", "said"),
    [("192.0.2.1", "cannot listen on 192.0.2.1"), ("no.such.host.invalid", "BIND_ADDRESS")],
)
def test_an_address_of_another_machine_is_not_called_a_port_in_use(given, refused, address, said):
    given.setenv("BIND_ADDRESS", address)
    complaint = refused("serve")
    assert said in complaint
    assert "in use" not in complaint


# -- Local data -------------------------------------------------------------------------------


def test_local_data_is_for_its_owner_alone(command, var):
    command("migrate")
    command("desk", "link", "a@example.com")
    made = [var, *var.rglob("*")]
    assert {"secret_key", "lead_service.db"} <= {path.name for path in made}
    assert [path for path in made if path.stat().st_mode & 0o077] == []


# -- Backups ----------------------------------------------------------------------------------


def test_a_backup_is_made_daily_and_put_back(command, given, var, tmp_path):
    given.setenv("BACKUP_DIR", str(tmp_path / "backups"))
    command("migrate")
    code, said, _ = command("backup")
    [copy] = (tmp_path / "backups").iterdir()
    assert (code, said) == (0, f"backup: {copy} holds 0 leads, 0 mails\n")
    change(var, "UPDATE host SET name = 'Nobody'")
    assert command("restore", str(copy))[0] == 0
    assert "Nobody" not in command("host")[1]


def test_a_backup_without_a_place_asks_for_one(command, refused):
    command("migrate")
    assert "give a file, or set BACKUP_DIR" in refused("backup")
    assert "is no file" in refused("restore", "nowhere")


@pytest.mark.both_engines
def test_a_schema_is_backed_up_before_it_is_migrated(command, given, var, tmp_path):
    backups = tmp_path / "backups"
    given.setenv("BACKUP_DIR", str(backups))
    var.mkdir()
    database = Database(f"sqlite:///{var / 'lead_service.db'}")
    schema.migrate(database, "0002")
    database.close()
    assert "backup: " in command("migrate")[1]
    with sqlite3.connect(next(backups.iterdir())) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == ("0002",)
    copy.close()
    command("migrate")
    assert len(list(backups.iterdir())) == 1  # there was nothing to migrate


def test_erasing_says_which_backups_still_hold_the_address(command, given, tmp_path):
    given.setenv("BACKUP_DIR", str(tmp_path / "backups"))
    command("migrate")
    command("backup")
    _, _, said = command("erase", "--yes", "ada@example.com")
    assert re.match(r"held by .*\.backup until \d{4}-\d\d-\d\d\n", said)
