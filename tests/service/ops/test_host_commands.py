"""Hosts from the command line: several of them, their days, their calendars, and what is wrong."""

from datetime import date

import pytest
from sqlalchemy import select, update

from lead_service.book.availability import queries
from lead_service.book.hosts import changes
from lead_service.book.hosts.models import CalendarFeed, Host
from lead_service.db import schema
from tests.service.conftest import MONDAY_MORNING as NOW
from tests.support.app.commands import run_here

BEN = "ben@example.com"


@pytest.fixture
def command(app, environment, at, monkeypatch):
    """Run a command and return what it prints; what it refuses is one line and exit status 2."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # Tables that were made from the models have no version to ask for.
    monkeypatch.setattr(schema, "fault", lambda _database: None)

    def run(*words: str, refused: bool = False) -> str:
        status, said, complaint = run_here(*words)
        assert (status, complaint.count("\n")) == ((2, 1) if refused else (0, 0)), complaint
        return said + complaint

    return run


@pytest.fixture
def ben(command, database):
    """A second host; return the row as it is now."""
    command("host", BEN, "--new", "--name", "Ben", "--hours", "mon-fri 9:00-12:00")

    def now(look=lambda host: host):
        with database.read() as session:
            return look(session.scalars(select(Host).where(Host.email == BEN)).one())

    return now


@pytest.fixture
def troubles(database):
    def troubles() -> list[str]:
        with database.read() as session:
            return list(changes.problems(session, NOW))

    return troubles


def test_all_hosts_are_shown(command, ben):
    shown = command("host")
    assert "<team@example.com>" in shown
    assert "Ben <ben@example.com>" in shown
    assert "mon 09:00-12:00, tue 09:00-12:00" in shown


def test_a_host_is_changed_by_address_and_others_stay_as_they_are(command, ben, database):
    command("host", "BEN@example.com", "--zone", "Europe/Berlin", "--duration", "45")
    assert (ben().zone, ben().duration) == ("Europe/Berlin", 45)
    with database.read() as session:
        first = session.scalars(select(Host).order_by(Host.id)).first()
        assert (first.zone, first.duration) == ("UTC", 30)


def test_each_change_counts_so_that_an_open_page_does_not_overwrite_it(command, ben):
    before = ben().version
    command("host", BEN, "--notice", "60")
    command("host-date", BEN, "2026-12-24")
    assert ben().version == before + 2


def test_with_several_hosts_a_change_must_say_whose(command, ben):
    assert "which host?" in command("host", "--name", "Ann", refused=True)


@pytest.mark.parametrize("taken", ["team@example.com", "TEAM@example.com"])
@pytest.mark.both_engines
def test_an_address_is_one_hosts_alone(command, ben, taken):
    assert "already" in command("host", taken, "--new", refused=True)
    assert "another host" in command("host", BEN, "--email", taken, refused=True)


def test_an_unknown_address_makes_no_host_by_itself(command, database):
    assert "--new" in command("host", BEN, "--name", "Ben", refused=True)
    with database.read() as session:
        assert len(session.scalars(select(Host)).all()) == 1


def test_who_is_not_active_takes_no_calls(command, ben, database):
    command("host", BEN, "--active", "no")
    with database.read() as session:
        assert BEN not in [host.email for host in queries.active_hosts(session)]
    assert "(takes no calls)" in command("host", BEN, "--active", "no")
    assert "(takes no calls)" not in command("host", BEN, "--active", "yes")


def test_a_country_is_changed_with_its_region(command, ben):
    command("host", BEN, "--country", "de", "--region", "BY")
    assert (ben().country, ben().region) == ("DE", "BY")
    command("host", BEN, "--region", "BE")
    assert (ben().country, ben().region) == ("DE", "BE")
    command("host", BEN, "--country", "FR")
    assert (ben().country, ben().region) == ("FR", "")
    command("host", BEN, "--country", "")
    assert ben().country == ""


def test_a_date_gets_hours_of_its_own_and_goes_back(command, ben):
    def windows() -> dict[date, list]:
        return ben(
            lambda host: {
                one.day: [(w.opens, w.closes) for w in one.windows] for one in host.overrides
            }
        )

    eve = date(2026, 12, 24)
    command("host-date", BEN, "2026-12-24", "09:00-12:00", "14:00-16:00")
    assert windows() == {eve: [(540, 720), (840, 960)]}
    command("host-date", BEN, "2026-12-24")
    assert windows() == {eve: []}
    assert "2026-12-24  off" in command("host", BEN, "--notice", "0")
    command("host-date", BEN, "2026-12-24", "--weekly")
    assert windows() == {}


@pytest.mark.both_engines
def test_time_off_is_taken_and_taken_back(command, ben):
    said = command("host-away", BEN, "2026-12-27", "2027-01-02", "--note", "At the lake")
    assert "away   2026-12-27 to 2027-01-02  At the lake" in said
    command("host-away", BEN, "2027-03-01")
    assert "2027-03-01 to 2027-03-01" in command("host", BEN, "--notice", "0")
    command("host-away", BEN, "2026-12-27", "--back")
    assert len(ben(lambda host: list(host.time_off))) == 1


def test_a_calendar_is_added_shown_without_its_address_and_removed(command, ben, database):
    secret = "webcal://calendar.ada.net/private-abc/basic.ics"
    said = command("host-calendar", BEN, "--add", secret)
    assert "Work  (calendar.ada.net)  not believed: never read" in said
    assert "private-abc" not in said
    with database.read() as session:
        assert session.scalars(select(CalendarFeed.url)).one() == secret.replace("webcal", "https")
    assert "no calendar" in command("host-calendar", BEN, "--remove", "Work")


REFUSED = [
    ("hours", "host", "--hours", "mon 09:00-12:00, mon 11:00-13:00"),
    ("hours", "host", "--hours", "mon 12:00-09:00"),
    ("hours", "host", "--hours", "mon 09:03-12:00"),
    ("hours", "host", "--hours", "moon 09:00-12:00"),
    ("hours", "host", "--hours", "fri-mon 09:00-12:00"),
    ("hours", "host", "--hours", "mon 09:00"),
    ("zone", "host", "--zone", "Europe/Nowhere"),
    ("country", "host", "--country", "ZZ"),
    ("region", "host", "--country", "US", "--region", "ZZ"),
    ("region", "host", "--region", "BY"),
    ("duration", "host", "--duration", "7"),
    ("duration", "host", "--duration", "0"),
    ("duration", "host", "--duration", "99999999999999999999"),
    ("interval", "host", "--interval", "-5"),
    ("notice", "host", "--notice", "\u0663"),
    ("horizon-days", "host", "--horizon-days", "1.5"),
    ("daily-limit", "host", "--daily-limit", ""),
    ("email", "host", "--email", "nobody"),
    ("date", "host-date", "2026-02-30"),
    ("hours", "host-date", "2026-12-24", "9-12"),
    ("date", "host-away", "2026-12-27", "2026-12-26"),
    ("date", "host-away", "2026-12-27", "--back"),
    ("note", "host-away", "2026-12-27", "--note", "x" * 201),
    ("calendar", "host-calendar", "--remove", "Work"),
    ("calendar", "host-calendar", "--add", "http://ada.net/secret"),
    ("calendar", "host-calendar", "--add", "https://\u2026/basic.ics"),
    ("calendar", "host-calendar", "--add", "https://192.168.0.1/secret"),
    ("label", "host-calendar", "--add", "https://ada.net/secret", "--label", ""),
]


@pytest.mark.parametrize("words", REFUSED, ids=lambda words: " ".join(words)[:40])
def test_what_is_wrong_is_said_in_one_line_and_changes_nothing(command, ben, words):
    option, name, *more = words
    before = command("host")
    said = command(name, BEN, *more, refused=True)
    assert f"lead-service: {option}: " in said
    assert "secret" not in said
    assert command("host") == before


# -- What `check` says --------------------------------------------------------------------------


def test_check_names_an_active_host_without_hours_and_a_calendar_that_is_not_read(
    command, ben, troubles
):
    assert troubles() == []
    number = ben().id
    command("host", BEN, "--hours", "")
    assert troubles() == [f"host {number} takes calls and has no hours; run `lead-service host`"]
    command("host", BEN, "--hours", "mon 09:00-12:00")
    command("host-calendar", BEN, "--add", "https://calendar.ada.net/private-abc/basic.ics")
    line = f"host {number} offers nothing: the calendar 'Work' was never read"
    assert troubles() == [line]
    command("host", BEN, "--active", "no")
    assert troubles() == []


def test_check_says_when_nobody_takes_calls(troubles, app, database, at):
    database.write(lambda session: session.execute(update(Host).values(is_active=False)) and None)
    assert troubles() == ["no host takes calls; run `lead-service host`"]
