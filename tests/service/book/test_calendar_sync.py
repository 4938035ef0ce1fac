"""Syncing hosts' calendars: schedule, failures and stored busy times."""

import threading
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from lead_service import logs
from lead_service.accounts.audit_log import Actor
from lead_service.accounts.members import Role
from lead_service.book.calendars import sync
from lead_service.book.calendars.components import NotUnderstood
from lead_service.book.calendars.fetch import Unreadable
from lead_service.book.calendars.parse import parse_calendar
from lead_service.book.forms import parse_start
from lead_service.book.hosts.models import BusyTime, CalendarFeed, Host
from lead_service.book.models import Booking
from lead_service.db import schema
from lead_service.desk.team import membership
from lead_service.emails import worker
from lead_service.emails.message import EmailKind
from lead_service.ops.cli import commands
from tests.service.conftest import MONDAY_MORNING as NOW
from tests.support.app.calls import add_host, give_to, move, only_call
from tests.support.app.outbox_helper import compose
from tests.support.app.visitor_forms import book, open_starts
from tests.support.calendar_server import CalendarServer, file

MINUTE = timedelta(minutes=1)
EVENT = """BEGIN:VEVENT\r
UID:{uid}\r
SUMMARY:Lunch with Grace\r
DTSTART:{start}\r
DURATION:PT1H\r
END:VEVENT\r
"""


def ics(*starts: str, uid: str = "1") -> bytes:
    events = "".join(EVENT.format(uid=uid + start, start=start) for start in starts)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n".encode()


@pytest.fixture
def environment(environment):
    return environment | {"FEEDS_ALLOW_LOOPBACK": "true"}


@pytest.fixture
def server(tmp_path, monkeypatch):
    with CalendarServer(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        yield server


@pytest.fixture(autouse=True)
def read_here(monkeypatch):
    """Parse files in this process, which is faster; the sandbox has its own tests."""

    def read(*asked):
        try:
            return parse_calendar(*asked)
        except NotUnderstood as fault:
            raise Unreadable(str(fault)) from None

    monkeypatch.setattr(sync, "parse_in_process", read)


@pytest.fixture
def feed(app, database, server, at):
    """Return a function that reloads the first host's calendar, which was never read."""

    def add(session) -> None:
        host = session.scalars(select(Host)).one()
        host.feeds = [CalendarFeed(url=server.url("/secret.ics"), label="Work")]

    database.write(add)

    def now() -> CalendarFeed:
        with database.read() as session:
            return session.scalars(select(CalendarFeed)).one()

    return now


@pytest.fixture
def read(settings, database, server, feed, at):
    """Serve this content, and sync that many minutes later."""

    def read(answer, minutes: int = 0) -> CalendarFeed:
        server.answers["/secret.ics"] = file(answer) if isinstance(answer, bytes) else answer
        at(NOW + minutes * MINUTE)
        sync.refresh_due(database, settings)
        return feed()

    return read


@pytest.fixture
def busy(database):
    """Return the busy times that are stored, as `dd hh:mm`."""

    def busy() -> list[str]:
        with database.read() as session:
            starts = session.scalars(select(BusyTime.starts_at).order_by(BusyTime.starts_at))
            return [f"{start:%d %H:%M}" for start in starts]

    return busy


def fail(request) -> None:
    request.answer(500)


def test_a_calendar_is_current_after_a_reading(read, busy):
    found = read(ics("20261126T090000Z", "20261126T090000"))
    assert (found.succeeded_at, found.fault, found.zone) == (NOW, "", "UTC")
    assert found.known_until > NOW + timedelta(days=45 + 59)
    assert busy() == ["26 09:00"]


def test_opening_a_form_requests_a_sync_at_most_every_five_minutes(client, database, read, at):
    read(ics("20261126T090000Z"))

    def is_read_again(minutes: int) -> bool:
        at(NOW + minutes * MINUTE)
        client.get(f"/book/{open_starts(client)[0]}/").close()
        return read(ics("20261126T090000Z"), minutes).fetched_at == NOW + minutes * MINUTE

    assert [is_read_again(minutes) for minutes in (4, 6, 8)] == [False, True, False]
    large = update(CalendarFeed).values(size=3 * 2**20)
    database.write(lambda session: session.execute(large))
    assert not is_read_again(14)


def test_a_request_from_a_fast_clock_causes_one_sync(client, read, server, at):
    read(ics("20261126T090000Z"))
    at(NOW + 16 * MINUTE)
    client.get(f"/book/{open_starts(client)[0]}/").close()
    for minutes in (6, 7, 8):
        read(ics("20261126T090000Z"), minutes)
    assert len(server.asked) == 2


@pytest.mark.parametrize("is_moved", [False, True], ids=["booked", "moved"])
def test_the_host_gets_one_email_about_a_call_that_conflicts_with_their_calendar(
    client, context, read, mails, at, is_moved
):
    lunch, taken = "20261126T090000Z", "20261127T090000Z"
    read(ics(lunch))
    at(NOW + 2 * MINUTE)
    book(client, "20261127T1000Z" if is_moved else "20261127T0900Z")
    if is_moved:
        read(ics(lunch, "20261130T090000Z"), 11)
        assert move(context, parse_start("20261127T0900Z"))
    for minutes in (22, 33):
        read(ics(lunch, taken), minutes)
    read(ics(lunch), 44)
    read(ics(lunch, taken), 55)
    (told,) = [one for _, one in mails() if one.kind == EmailKind.CALL_COLLIDES]
    assert told.to == "team@example.com"
    assert "/desk/calls/1/move/" in told.text


def test_only_the_times_of_a_calendar_are_stored(read, database):
    read(ics("20261126T090000Z"))
    with database.read() as session:
        kept = session.execute(select(BusyTime.__table__)).mappings().one()
    assert set(kept) == {"id", "feed_id", "starts_at", "ends_at"}


def test_floating_times_are_read_by_the_hosts_clock(read, busy, database):
    berlin = update(Host).values(zone="Europe/Berlin")
    database.write(lambda session: session.execute(berlin) and None)
    assert read(ics("20261126T090000")).zone == "Europe/Berlin"
    assert busy() == ["26 08:00"]


@pytest.mark.both_engines
def test_a_calendar_is_read_every_ten_minutes_and_by_one_process(read, server, database, settings):
    content = ics("20261126T090000Z")
    for minutes in (0, 0, 9, 10, 19, 21):
        read(content, minutes)
    assert len(server.asked) == 3
    looking = [
        threading.Thread(target=sync.refresh_due, args=(database, settings)) for _ in range(3)
    ]
    read(content, 25)
    for thread in looking:
        thread.start()
    for thread in looking:
        thread.join()
    assert len(server.asked) == 3


def test_a_clock_set_back_does_not_stop_the_sync(read, server):
    read(ics("20261126T090000Z"), 24 * 60)
    read(ics("20261126T090000Z"), 0)
    assert len(server.asked) == 2


def test_an_unchanged_calendar_is_confirmed_without_parsing_it(read, server, busy, monkeypatch):
    read(file(ics("20261126T090000Z"), ETag='"1"'))
    monkeypatch.setattr(sync, "parse_in_process", None)  # would fail
    found = read(lambda request: request.answer(304), 10)
    assert server.asked[1][1]["if-none-match"] == '"1"'
    assert (found.succeeded_at, found.fault) == (NOW + 10 * MINUTE, "")
    assert busy() == ["26 09:00"]
    assert read(ics("20261126T090000Z"), 20).succeeded_at == NOW + 20 * MINUTE


@pytest.mark.parametrize("changed", ["zone", "horizon", "time", "rules"])
def test_a_calendar_with_outdated_times_is_parsed_again(read, server, database, changed):
    """Busy times of an unchanged calendar are computed only up to a date, so they run out."""
    series = ics("20261126T090000").replace(b"END:VEVENT", b"RRULE:FREQ=DAILY\r\nEND:VEVENT")
    first = read(file(series, ETag='"1"')).known_until

    def change(session) -> None:
        host = session.scalars(select(Host)).one()
        host.zone = "Europe/Berlin" if changed == "zone" else host.zone
        host.feeds[0].rules = 0 if changed == "rules" else host.feeds[0].rules
        host.horizon_days = 300 if changed == "horizon" else host.horizon_days

    database.write(change)
    minutes = 40 * 24 * 60 if changed == "time" else 10
    found = read(file(series, ETag='"1"'), minutes)
    assert "if-none-match" not in server.asked[1][1]
    assert found.zone == ("Europe/Berlin" if changed == "zone" else "UTC")
    assert found.known_until > first


@pytest.mark.parametrize(
    "answer",
    [fail, b"", b"<!doctype html>", ics("20261127T090000Z")[:-20], ics("nonsense")],
    ids=["500", "empty", "a page", "cut", "unreadable"],
)
def test_the_last_good_busy_times_stay_after_a_failed_reading(read, busy, answer):
    good = read(ics("20261126T090000Z"))
    found = read(answer, 10)
    assert found.fault
    assert (found.succeeded_at, found.content_hash) == (good.succeeded_at, good.content_hash)
    assert busy() == ["26 09:00"]
    mended = read(ics("20261127T100000Z"), 20)
    assert mended.fault == ""
    assert busy() == ["27 10:00"]


def test_the_address_of_a_calendar_is_neither_logged_nor_shown(read, caplog):
    caplog.set_level("DEBUG")
    found = read(fail)
    assert found.fault == "the server sent no calendar (500)"
    read(ics("20261126T090000Z"), 10)
    logged = " ".join(str(record.__dict__) for record in caplog.records)
    assert "no calendar (500)" in logged
    assert "secret" not in logged
    assert "Grace" not in logged


def test_our_call_in_the_hosts_calendar_does_not_conflict_with_itself(client, read, busy, database):
    """The host has accepted the invitation, and the visitor moves the call by half an hour."""
    read(ics())
    book(client)
    with database.read() as session:
        booking = session.scalars(select(Booking)).one()
    start = f"{booking.starts_at:%Y%m%dT%H%M%SZ}"
    accepted = ics(start).replace(f"UID:1{start}".encode(), f"UID:{booking.uid}".encode())
    assert read(accepted, 10).fault == ""
    assert busy() == []
    read(ics(start), 20)
    assert busy() == [f"{booking.starts_at:%d %H:%M}"]


def test_a_call_of_another_host_in_the_hosts_calendar_is_busy(
    client, context, read, busy, database
):
    """A forwarded invitation counts as busy; a reassigned call of the host's own does not."""
    read(ics())
    book(client)
    booking = only_call(database)
    start = f"{booking.starts_at:%Y%m%dT%H%M%SZ}"
    forwarded = ics(start).replace(f"UID:1{start}".encode(), f"UID:{booking.uid}".encode())
    ann = add_host(database)
    assert give_to(context, ann)
    assert read(forwarded, 10).fault == ""
    assert busy() == []
    database.write(
        lambda session: session.execute(update(Booking).values(former_hosts=None)) and None
    )
    read(forwarded + b"\r\n", 20)
    assert busy() == [f"{booking.starts_at:%d %H:%M}"]


def test_a_server_s_retry_after_delays_the_sync(read, server):
    read(lambda request: request.answer(503, Retry_After="1500"))
    for minutes in (10, 24, 25):
        read(ics(), minutes)
    assert len(server.asked) == 2


# -- People are told ----------------------------------------------------------------------------


@pytest.fixture
def told(database, settings, mails):
    """Return the recipients and subjects of emails about a calendar; add an admin and a member."""

    def add(session) -> None:
        membership.invite(session, settings, "admin@example.com", role=Role.ADMIN, by=Actor(NOW))
        membership.invite(session, settings, "member@example.com", by=Actor(NOW))

    database.write(add)

    def told() -> list[str]:
        found = [one for _, one in mails() if one.kind == EmailKind.CALENDAR_PROBLEM]
        return [f"{one.to}: {one.subject}" for one in found]

    return told


def test_host_and_admins_get_one_email_about_an_outdated_calendar(read, told):
    read(ics())
    read(fail, 24 * 60)
    assert told() == []
    for minutes in (10, 20):
        read(fail, 24 * 60 + minutes)
    assert len(told()) == 2
    assert {one.split(":")[0] for one in told()} == {"team@example.com", "admin@example.com"}
    read(ics(), 24 * 60 + 30)
    read(fail, 49 * 60)
    assert len(told()) == 4


def test_the_host_gets_an_email_about_a_widened_calendar(read, told, mails):
    odd = ics("20261126T090000Z").replace(b"DURATION:PT1H", b"DTEND:soon")
    found = read(odd)
    assert "blocks the rest of its day" in found.widened
    read(odd + b"\r\n", 10)
    assert len(told()) == 1
    assert "blocks the rest of its day" in mails()[-1][1].text
    assert read(ics(), 20).widened == ""


def test_removing_a_calendar_during_its_reading_is_no_error(read, database, settings, feed, server):
    def remove(request) -> None:
        database.write(lambda session: session.delete(session.scalars(select(CalendarFeed)).one()))
        request.answer(200, ics("20261126T090000Z"))

    server.answers["/secret.ics"] = remove
    sync.refresh_due(database, settings)
    with database.read() as session:
        assert session.scalars(select(BusyTime)).all() == []


# -- In the deliver process ---------------------------------------------------------------------


def test_calendars_are_read_while_emails_are_sent(settings, database, monkeypatch):
    """Otherwise, a calendar that hangs would delay every email."""
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(worker, "BESIDE_SECONDS", 0.01)
    began, may_end, looks = threading.Event(), threading.Event(), []

    def work(_database) -> None:
        began.set()
        may_end.wait(20)
        raise RuntimeError  # and the calendar still hangs

    def is_over() -> bool:
        looks.append(began.is_set())
        return began.wait(20) and len(looks) > 3

    worker.run(settings, compose, until=is_over, beside=[work])
    assert looks[-1]
    may_end.set()


def test_the_command_reads_calendars(environment, database, server, feed, monkeypatch):
    given = {}
    monkeypatch.setattr(worker, "run", lambda _settings, _compose, **more: given.update(more))
    monkeypatch.setattr(schema, "require", lambda _settings: None)
    monkeypatch.setattr(logs, "configure", lambda _level: None)
    assert CliRunner().invoke(commands, ["deliver"], env=environment).exit_code == 0
    server.answers["/secret.ics"] = file(ics())
    for work in given["beside"]:
        work(database)
    assert feed().succeeded_at == NOW
