"""Database failures: nothing is half stored, the page says so, and the input is kept."""

import itertools

import pytest
from psycopg import errors
from sqlalchemy import event, func, select, text

from lead_service.book.models import Booking
from lead_service.db import engine
from lead_service.leads.models import Lead
from tests.faults.holding import held
from tests.support.app.visitor_forms import booking_form, open_starts
from tests.support.engines import only_postgresql, only_sqlite

pytestmark = [pytest.mark.both_engines, pytest.mark.usefixtures("at")]


def counts(database) -> tuple[int, int]:
    with database.read() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(model)) for model in (Lead, Booking)
        )


@pytest.fixture
def environment(environment) -> dict[str, str]:
    reach = {"PRACTICE_EMAIL": "desk@practice.test", "PRACTICE_PHONE": "+1 555 0142"}
    return environment | reach


@pytest.fixture
def full_disk(app):
    """Fill the disk, as far as SQLite can tell, once it is called, and make room when called again.

    No page may be added to the file: the limit is never below the present size.
    """
    database = app.extensions["lead_service"].database
    pages = itertools.cycle((1, 2**30))

    def turn() -> None:
        most = next(pages)
        event.listen(
            database.engine,
            "checkout",
            lambda connection, *_: connection.execute(f"PRAGMA max_page_count = {most}"),
        )

    return turn


@only_sqlite  # a full disk is simulated by its own page limit
def test_a_full_disk_reports_not_saved_keeps_the_form_and_recovers(
    client, database, environment, full_disk
):
    first, form = (
        booking_form(client, start, email=f"{start}@example.com", topic="x" * 2000)
        for start in open_starts(client)[:2]
    )
    full_disk()
    assert client.post("/book/", data=first).status_code == 303  # there is some room left
    refused = client.post("/book/", data=form)
    assert refused.status_code == 503
    assert "Not saved" in refused.text
    assert refused.headers["Retry-After"]
    assert 'value="Ada Example"' in refused.text
    assert f"mailto:{environment['PRACTICE_EMAIL']}" in refused.text
    assert environment["PRACTICE_PHONE"] in refused.text
    assert counts(database) == (1, 1)
    full_disk()
    assert client.post("/book/", data=form).status_code == 303
    assert counts(database) == (2, 2)


def test_a_long_write_lock_is_waited_for_and_then_reported(
    client, app, db_url, database, monkeypatch
):
    inside = app.extensions["lead_service"].database
    form = booking_form(client, open_starts(client)[0])
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.3)
    patience = "PRAGMA busy_timeout = 300" if inside.is_sqlite else "SET lock_timeout = 300"
    event.listen(inside.engine, "checkout", lambda c, _r, _p: c.execute(patience))
    with held(db_url):
        refused = client.post("/book/", data=form)
    assert refused.status_code == 503
    assert "Not saved" in refused.text
    assert 'value="Ada Example"' in refused.text
    assert counts(database) == (0, 0)
    assert client.post("/book/", data=form).status_code == 303


def test_lock_waits_end_after_the_configured_time(app):
    with app.extensions["lead_service"].database.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.scalar(text("PRAGMA busy_timeout")) == engine.BUSY_SECONDS * 1000
        else:
            assert connection.scalar(text("SHOW lock_timeout")) == f"{engine.BUSY_SECONDS}s"


def test_a_database_that_refuses_writes_gives_the_page_not_saved(client, app, database):
    inside = app.extensions["lead_service"].database
    form = booking_form(client, open_starts(client)[0])
    off = "PRAGMA query_only = ON" if inside.is_sqlite else "SET default_transaction_read_only = on"
    on = off.replace("ON", "OFF").replace(" on", " off")
    switch = {"to": off}
    event.listen(inside.engine, "checkout", lambda c, _r, _p: (c.execute(switch["to"]), c.commit()))
    refused = client.post("/book/", data=form)
    assert refused.status_code == 503
    assert "Not saved" in refused.text and 'value="Ada Example"' in refused.text
    assert client.get("/book/").status_code == 200
    assert counts(database) == (0, 0)
    switch["to"] = on
    assert client.post("/book/", data=form).status_code == 303


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.DiskFull, 503),
        (errors.LockNotAvailable, 503),
        (errors.DeadlockDetected, 503),
        (errors.UndefinedTable, 500),
    ],
)
@only_postgresql
def test_errors_of_postgresql_are_reported_by_their_cause(client, app, error, status):
    form = booking_form(client, open_starts(client)[0])
    engine = app.extensions["lead_service"].database.engine

    def fail(_connection, _cursor, statement, *_more) -> None:
        if statement.startswith("INSERT"):
            raise error("in trouble")

    event.listen(engine, "before_cursor_execute", fail)
    answer = client.post("/book/", data=form)
    event.remove(engine, "before_cursor_execute", fail)
    assert answer.status_code == status
    assert 'value="Ada Example"' in answer.text and "in trouble" not in answer.text
    assert client.post("/book/", data=form).status_code == 303


def test_a_missing_database_is_503_and_not_ready_but_alive(client, app):
    engine = app.extensions["lead_service"].database.engine

    def refuse(*_args) -> None:
        raise engine.dialect.dbapi.OperationalError("unable to open the database")

    event.listen(engine, "do_connect", refuse)
    engine.dispose()
    assert client.get("/book/").status_code == 503
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    assert client.get("/").status_code == 200
    event.remove(engine, "do_connect", refuse)
    assert client.get("/readyz").status_code in {200, 503}


def test_an_error_in_the_middle_stores_neither_lead_nor_booking_nor_email(
    client, database, mails, monkeypatch
):
    from lead_service.book import notifications

    def broken(*_args, **_more) -> None:
        raise RuntimeError("in the middle")

    form = booking_form(client, open_starts(client)[0])
    monkeypatch.setattr(notifications.team_notices, "notify", broken)
    answer = client.post("/book/", data=form)
    assert answer.status_code == 500
    assert 'value="Ada Example"' in answer.text
    assert "RuntimeError" not in answer.text
    assert counts(database) == (0, 0)
    assert mails() == []


@only_sqlite
@pytest.mark.parametrize("is_replaced", [False, True], ids=["removed", "replaced by a copy"])
def test_writes_to_a_removed_database_file_are_refused(client, database, is_replaced):
    form = booking_form(client, open_starts(client)[0])
    copy = database.file.read_bytes()
    database.file.unlink()
    if is_replaced:
        database.file.write_bytes(copy)
    refused = client.post("/book/", data=form)
    assert refused.status_code == 503
    assert 'value="Ada Example"' in refused.text
    ready = client.get("/readyz")
    assert (ready.status_code, "removed or replaced" in ready.text) == (503, True)


@only_sqlite
def test_readyz_fails_while_the_disk_is_full_or_the_file_read_only(client, database, monkeypatch):
    assert "disk" not in client.get("/readyz").text
    with monkeypatch.context() as full:
        full.setattr(engine, "LEAST_FREE", 2**60)
        assert "the disk is full" in client.get("/readyz").text
    for ending, said in ((".db", "its file is read-only"), ("-shm", "its -shm file is read-only")):
        monkeypatch.setattr(
            engine.os, "access", lambda path, _, ending=ending: not str(path).endswith(ending)
        )
        assert said in client.get("/readyz").text


@only_sqlite
def test_a_read_only_wal_index_keeps_the_form_without_a_crash(client, monkeypatch):
    form = booking_form(client, open_starts(client)[0])
    monkeypatch.setattr(engine.os, "access", lambda path, _: not path.endswith("-shm"))
    refused = client.post("/book/", data=form)  # the write itself would cause a SIGBUS
    assert refused.status_code == 503
    assert 'value="Ada Example"' in refused.text


@only_postgresql
def test_readyz_fails_on_a_read_only_server(client, app):
    inside = app.extensions["lead_service"].database.engine

    def make_read_only(connection, *_more) -> None:
        connection.execute("SET default_transaction_read_only = on")
        connection.commit()

    event.listen(inside, "checkout", make_read_only)
    ready = client.get("/readyz")
    assert (ready.status_code, ready.text) == (503, "database: is read-only\n")
