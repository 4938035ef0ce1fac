"""The commands as an operator types them: what is wrong is said in one line, in words."""

import json
import re
import shutil
import sqlite3
from pathlib import Path

import pytest

from lead_service.book.hosts import setup
from lead_service.db import schema
from lead_service.db.engine import Database
from lead_service.ops import checks
from tests.support.app.commands import run_here
from tests.support.local_server import free_port

ROOT = Path(__file__).parents[3]
OWN = {"SALES_TO": "a@example.com"}
NOBODY = "postgresql://ann:hunter2@127.0.0.1:1/advisory"


@pytest.fixture
def var(tmp_path) -> Path:
    return tmp_path / "var"


@pytest.fixture(scope="module")
def migrated_folder(tmp_path_factory, site_dir) -> Path:
    folder = tmp_path_factory.mktemp("migrated")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in OWN.items():
            patch.setenv(name, value)
        patch.setenv("VAR_DIR", str(folder))
        patch.setenv("SITE_DIR", str(site_dir))
        patch.delenv("DATABASE_URL", raising=False)
        assert run_here("migrate")[0] == 0
    return folder


@pytest.fixture
def migrated(var, migrated_folder) -> None:
    """Copy a migrated database, which is faster than migrating."""
    shutil.copytree(migrated_folder, var)


@pytest.fixture
def given(monkeypatch, var, site_dir) -> pytest.MonkeyPatch:
    """Set the environment of the commands; a test may add to it with `given.setenv`."""
    own = OWN | {"VAR_DIR": var, "SITE_DIR": site_dir, "PORT": free_port()}
    for name, value in own.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return monkeypatch


@pytest.fixture
def command(given):
    """Run a command with that environment; return its exit status, stdout and stderr."""
    return run_here


@pytest.fixture
def refused(command):
    """Run a command that must fail, and return its one line of stderr."""

    def run(*arguments: str, status: int = 1) -> str:
        code, _, said = command(*arguments)
        assert (code, said.count("\n")) == (status, 1), said
        assert said.startswith("lead-service: ")
        return said

    return run


def change(var: Path, statement: str) -> None:
    with sqlite3.connect(var / "lead_service.db") as connection:
        connection.execute(statement)
    connection.close()


# -- The first host ---------------------------------------------------------------------------


def test_check_passes_after_migrate(command):
    assert command("migrate")[0] == 0
    code, said, _ = command("check", "--json")
    assert (code, json.loads(said)) == (0, {"ok": True, "faults": []})


def test_check_says_when_no_host_takes_calls(refused, var, migrated):
    change(var, "DELETE FROM opening_hours")
    assert refused("check") == f"lead-service: {setup.NOBODY}\n"


def test_check_fails_while_failed_emails_are_unseen(command, refused, var, migrated):
    columns = "id, kind, address, state, attempts, created_at, due_at, next_at, reason, alarm_at"
    at = "'2026-03-02 09:00:00.000000'"
    values = f"'{'0' * 32}', 'result', 'a@b.test', 'failed', 1, {at}, {at}, {at}, '', {at}"
    change(var, f"INSERT INTO outbox ({columns}) VALUES ({values})")
    assert refused("check").startswith("lead-service: Emails that failed for good: 1.")
    change(var, "UPDATE outbox SET alarm_at = NULL")
    assert command("check")[0] == 0


# -- One line, no traceback -------------------------------------------------------------------


@pytest.mark.parametrize("words", [["desk", "link"], ["export"], ["erase", "--yes"]], ids=" ".join)
def test_an_invalid_address_is_refused_by_every_command(refused, words):
    assert "'x' is not an email address" in refused(*words, "x", status=2)


@pytest.mark.parametrize(
    "words",
    [
        ["migrate"],
        ["check"],
        ["desk", "link", "a@example.com"],
        ["erase", "--yes", "a@example.com"],
        ["serve"],
    ],
    ids=" ".join,
)
def test_a_database_that_does_not_answer_is_one_line(given, command, refused, words, migrated):
    given.setenv("DATABASE_URL", NOBODY)
    said = refused(*words, status=1 if words == ["check"] else 2)
    assert "DATABASE_URL: cannot be used" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("word", ["migrate", "serve"])
def test_the_schema_of_a_newer_program_is_not_changed(command, refused, var, word, migrated):
    change(var, "UPDATE alembic_version SET version_num = '9999'")
    assert "newer than this program" in refused(word)


def test_a_folder_that_cannot_be_made_is_named(given, refused, tmp_path):
    (tmp_path / "file").write_text("")
    given.setenv("VAR_DIR", str(tmp_path / "file" / "var"))
    assert "VAR_DIR: cannot be used" in refused("migrate", status=2)


@pytest.mark.parametrize(
    ("address", "said"),
    [("192.0.2.1", "cannot listen on 192.0.2.1"), ("no.such.host.invalid", "BIND_ADDRESS")],
)
def test_an_address_of_another_machine_is_not_called_a_port_in_use(given, refused, address, said):
    given.setenv("BIND_ADDRESS", address)
    complaint = refused("serve")
    assert said in complaint
    assert "in use" not in complaint


@pytest.mark.parametrize(
    "words", [["nosuch"], ["check", "--nosuch"], ["restore"], ["desk", "link", "--old"]]
)
def test_a_wrong_command_line_is_one_line_that_leads_to_the_help(refused, words):
    assert re.search(r"; see `lead-service [a-z ]*-h`\n", refused(*words, status=2))


@pytest.mark.parametrize(
    "words", [["check"], ["backup", "copy"], ["export", "a@example.com"], ["web"]], ids=" ".join
)
def test_a_mistyped_folder_is_refused_and_not_made(refused, var, words):
    assert f"VAR_DIR: there is no folder {var}" in refused(*words, status=2)
    assert not var.exists()


# -- What `check` reads -----------------------------------------------------------------------


def test_check_names_the_line_of_the_framework_that_is_being_edited(
    command, refused, given, tmp_path, migrated
):
    given.chdir(tmp_path)
    edited = tmp_path / checks.SOURCE
    edited.parent.mkdir()
    text = (ROOT / checks.SOURCE).read_text()
    (tmp_path / checks.CALLS).write_text((ROOT / checks.CALLS).read_text())
    at = text[: text.index("    letter: ")].count("\n") + 1
    edited.write_text(text.replace("    letter: ", "    leter: ", 1))
    assert f"docs/framework.yml: line {at}" in command("check")[2]
    edited.write_text(text.replace("assess-limits-listed", "assess-limits"))
    assert "assess-limits: is missing" in command("check")[2]


def test_check_names_settings_that_were_copied_and_not_filled_in(command, given, migrated):
    for name, value in {
        "PUBLIC_URL": "https://advisory.example/",
        "SECRET_KEY": "only these tests are signed with this",
        "DATABASE_URL": "sqlite:////nowhere/at/all.db",
        "SENDGRID_API_KEY": "SG.\u2026",
        "SENDGRID_HOST": f"http://127.0.0.1:{free_port()}",
        "MAIL_FROM": "calls@example.com",
        "SALES_TO": "ann@ada.net, ben@example.test",
        "PRACTICE_LEGAL_NAME": "Ada LLC",
        "PRACTICE_POSTAL_ADDRESS": "1 Street",
        "PRACTICE_EMAIL": "hello@ada.net",
    }.items():
        given.setenv(name, value)
    code, said, _ = command("check", "--json")
    assert (code, json.loads(said)["ok"]) == (2, False)
    given.setenv("DATABASE_URL", "postgresql://ann@127.0.0.1:1/advisory")
    code, said, _ = command("check", "--json")
    found = json.loads(said)["faults"]
    assert (code, [one for one in found if "placeholder" in one]) == (
        1,
        [
            "PUBLIC_URL: https://advisory.example/ is a placeholder",
            "MAIL_FROM: calls@example.com is a placeholder",
            "SALES_TO: ben@example.test is a placeholder",
            "SENDGRID_API_KEY: contains a placeholder (\u2026)",
        ],
    )
    assert any(one.startswith("PUBLIC_URL: the site in") for one in found)
    assert any(one.startswith("DATABASE_URL: cannot be used") for one in found)


# -- For scripts ------------------------------------------------------------------------------


def test_output_for_scripts_is_json(command, tmp_path, migrated):
    made = json.loads(command("backup", str(tmp_path / "copy"), "--json")[1])
    assert made == {"file": str(tmp_path / "copy"), "leads": 0, "emails": 0, "deleted": 0}


def test_an_address_without_data_is_reported_as_such(command, migrated):
    assert command("export", "ada@example.com")[2] == "nothing is stored about ada@example.com\n"
    code, said, noted = command("erase", "--yes", "ada@example.com")
    assert (code, noted) == (0, "nothing was stored about ada@example.com\n")
    assert set(json.loads(said).values()) == {0}
    assert command("export", "ada@example.com")[2] == ""  # the record of the erasure stays


# -- Local data -------------------------------------------------------------------------------


def test_local_data_is_readable_by_its_owner_only(command, var):
    command("migrate")
    command("desk", "link", "a@example.com")
    made = [var, *var.rglob("*")]
    assert {"secret_key", "lead_service.db"} <= {path.name for path in made}
    assert [path for path in made if path.stat().st_mode & 0o077] == []


# -- Backups ----------------------------------------------------------------------------------


def test_a_backup_is_made_daily_and_put_back(command, refused, given, var, tmp_path, migrated):
    given.setenv("BACKUP_DIR", str(tmp_path / "backups"))
    code, said, _ = command("backup")
    [copy] = (tmp_path / "backups").iterdir()
    assert (code, said) == (0, f"backup: {copy} (leads: 0, emails: 0)\n")
    change(var, "UPDATE host SET name = 'Nobody', version = 2")
    assert "host: 1" in refused("restore", str(copy))
    assert command("restore", "--replace", str(copy))[0] == 0
    with sqlite3.connect(var / "lead_service.db") as connection:
        assert connection.execute("SELECT count(*) FROM host WHERE name = 'Nobody'").fetchone() == (
            0,
        )
    connection.close()


def test_a_backup_without_a_file_asks_for_one(command, refused, migrated):
    assert "give a file, or set BACKUP_DIR" in refused("backup", status=2)
    assert "is not a file" in refused("restore", "nowhere")


@pytest.mark.both_engines
def test_a_schema_is_backed_up_before_it_is_migrated(command, given, var, tmp_path):
    backups = tmp_path / "backups"
    given.setenv("BACKUP_DIR", str(backups))
    var.mkdir()
    database = Database(f"sqlite:///{var / 'lead_service.db'}")
    schema.migrate(database, "0007")
    database.close()
    assert "backup: " in command("migrate")[1]
    with sqlite3.connect(next(backups.iterdir())) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == ("0007",)
    copy.close()
    command("migrate")
    assert len(list(backups.iterdir())) == 1  # there was nothing to migrate


def test_erasing_says_which_backups_still_hold_the_address(command, given, tmp_path, migrated):
    given.setenv("BACKUP_DIR", str(tmp_path / "backups"))
    command("backup")
    _, _, said = command("erase", "--yes", "ada@example.com")
    assert re.search(r"^may be in .*\.backup until \d{4}-\d\d-\d\d$", said, re.MULTILINE)
