"""What `lead-service check` finds before a visitor does, and what no process starts on."""

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from lead_service import clock
from lead_service.book.hosts import setup
from lead_service.db import schema
from lead_service.db.engine import Database
from lead_service.leads import events
from lead_service.leads.models import Lead
from lead_service.ops import checks
from lead_service.privacy.models import RetentionPlan
from lead_service.settings import Settings, load
from tests.support.app.stored_data import kept
from tests.support.databases import open_migrated
from tests.support.engines import only_postgresql, only_sqlite
from tests.support.fake_sendgrid import KEY, StandIn
from tests.support.local_server import free_port
from tests.support.processes import run

EACH_COMMAND = pytest.mark.parametrize(
    "command",
    ["web", *(pytest.param(name, marks=pytest.mark.long) for name in ("deliver", "check"))],
)


@pytest.fixture
def ready(settings, at):
    """The settings of a product without faults, by the clock that the database has."""
    at(datetime.now(UTC))
    database = open_migrated(settings.database_url)
    database.write(lambda session: setup.create_first_host(session, settings))
    database.close()
    return settings


@pytest.fixture
def with_key(ready, environment):
    """Return the settings with a key for a provider at an address, whose clock is right."""

    def made(url: str, key: str = KEY):
        return load(environment | {"SENDGRID_API_KEY": key, "SENDGRID_HOST": url})

    return made


def test_check_finds_no_faults_when_everything_works(with_key):
    with StandIn() as provider:
        assert checks.faults(with_key(provider.url)) == []
        assert provider.received == []  # the check sends no email


def test_facts_that_only_the_owner_knows_are_listed_until_given(site_dir, tmp_path):
    site = Path(shutil.copytree(site_dir, tmp_path / "site"))
    listed = json.loads((site / "articles.json").read_text())
    listed |= {"unconfirmed": ["about.md: forty years"], "site_url": "https://advisory.example/"}
    listed["articles"][0]["author"] = "ann-example"
    (site / "articles.json").write_text(json.dumps(listed))
    unconfirmed, *more = checks._for_the_owner(
        Settings(site_dir=site, public_url="https://advisory.example/")
    )
    assert unconfirmed.startswith("docs/about.md: forty years: not confirmed yet")
    assert more == [
        "PRACTICE_REPLY_TIME: the contact page does not say when you answer a message",
        "docs/people: the About page names no one",
        "docs/insights/about-clarify.md: the article has no author",
    ]
    assert list(checks._for_the_owner(Settings(site_dir=site))) == [unconfirmed]  # in local mode


def test_a_host_who_has_the_sender_s_address_is_named(ready, environment):
    [fault] = checks.faults(load(environment | {"MAIL_FROM": "Team@example.com"}))
    assert fault.startswith("MAIL_FROM: team@example.com is also the address of ACTION Advisory")


def test_a_key_that_cannot_send_is_found_before_an_email_is_lost_to_it(with_key):
    with StandIn() as provider:
        refused = checks.faults(with_key(provider.url, key="SG.revoked"))
        assert refused == ["SENDGRID_API_KEY: is refused by the provider"]
        provider.scopes = ["stats.read"]
        may_not = checks.faults(with_key(provider.url))
        assert may_not == ["SENDGRID_API_KEY: lacks the right to send (mail.send)"]


def test_a_link_out_of_the_site_is_named(tmp_path):
    settings = Settings(site_dir=tmp_path)
    assert checks._links_in_the_site(settings) == []
    (tmp_path / "out.txt").symlink_to("/etc/hostname")
    [fault] = checks._links_in_the_site(settings)
    assert fault == f"SITE_DIR: {tmp_path / 'out.txt'} is a symbolic link; remove it"


def test_a_provider_that_is_not_there_is_named(with_key):
    [fault] = checks.faults(with_key(f"http://127.0.0.1:{free_port()}"))
    assert fault.startswith("SENDGRID_HOST: the provider could not be reached")


def test_a_clock_that_is_wrong_is_seen_by_those_of_others(with_key, monkeypatch):
    right = clock.now
    monkeypatch.setattr(clock, "now", lambda: right() + timedelta(hours=1))
    with StandIn() as provider:
        settings = with_key(provider.url)
        found = [fault for fault in checks.faults(settings) if fault.startswith("clock: ")]
    assert any("by the provider's" in fault for fault in found)
    is_server = "postgresql" in settings.database_url
    assert any("by the database's" in fault for fault in found) == is_server


def test_a_clock_that_was_set_back_is_detected_by_newer_rows(ready):
    database, later = Database(ready.database_url), clock.now() + timedelta(hours=1)

    def write(session) -> None:
        lead = kept(session, email="ada@example.com", at=later)
        events.record_event(session, lead, "wrote", later)

    database.write(write)
    database.close()
    [fault] = checks.faults(ready)
    assert "in the future" in fault


def test_retention_that_waits_for_a_person_is_named(ready):
    def store(session) -> None:
        at = clock.now() - timedelta(days=ready.retention_days + 1)
        for number in range(3):
            address = f"lead{number}@example.com"
            session.add(Lead(address=address, email=address, created_at=at, touched_at=at))
        session.add(RetentionPlan(as_of=clock.now()))

    with schema.opened(ready) as database:
        database.write(store)
    [fault] = checks.faults(ready)
    assert fault.startswith("retention: would erase 3 leads at once")


def test_a_disk_that_fills_up_is_seen_before_it_is_full(ready, monkeypatch):
    monkeypatch.setattr(checks, "LEAST_SPACE", 2**60)
    if "postgresql" in ready.database_url:
        assert checks.faults(ready) == []  # its disk is its server's
    else:
        [fault] = checks.faults(ready)
        assert "MB left" in fault


@EACH_COMMAND
@only_postgresql
def test_no_process_starts_on_a_read_only_database(ready, environment, command):
    settings = "?options=-c%20default_transaction_read_only%3Don&"
    address = environment["DATABASE_URL"].replace("?", settings)
    refused = run(environment | {"DATABASE_URL": address}, command)
    assert refused.returncode != 0
    assert "read-only transaction" in refused.stderr
    assert "Traceback" not in refused.stderr


# Root may write to any file, except on a read-only disk.
READ_ONLY = ("unshare", "--map-root-user", "--mount", "sh", "-c")
MOUNT = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


@pytest.mark.long
@EACH_COMMAND
@only_sqlite
def test_no_process_starts_on_a_file_that_cannot_be_written(
    ready, environment, command, tmp_path_factory
):
    folder = Path(make_url(ready.database_url).database).parent
    read_only = [*READ_ONLY, MOUNT, str(folder)]
    if subprocess.run([*read_only, "true"], capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")
    elsewhere = environment | {"VAR_DIR": str(tmp_path_factory.mktemp("var"))}
    elsewhere["SECRET_KEY"] = ready.secret  # which lies in the folder that cannot be written
    refused = run(elsewhere, command, prefix=read_only)
    assert refused.returncode != 0
    assert "DATABASE_URL" in refused.stderr and "Traceback" not in refused.stderr


@pytest.mark.parametrize("command", ["web", pytest.param("deliver", marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("0007", "run `lead-service migrate`"),
        ("0020", "never released"),
        ("9999", "newer than this program"),
    ],
)
def test_no_process_starts_on_another_program_s_schema(ready, environment, command, version, said):
    database = Database(ready.database_url)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
    database.close()
    refused = run(environment, command)
    assert refused.returncode != 0
    assert said in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
