"""Exporting and erasing everything stored about one address."""

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from lead_service import clock
from lead_service.accounts.audit_log import Actor
from lead_service.accounts.members import SignInLink
from lead_service.assess.models import Assessment
from lead_service.book.hosts.models import (
    BusyTime,
    CalendarFeed,
    DateOverride,
    Host,
    OverrideWindow,
    TimeOff,
    held_about,
)
from lead_service.book.models import Booking, TimeCell
from lead_service.db.base import Base
from lead_service.desk.team import membership
from lead_service.emails import outbox
from lead_service.emails.message import Message
from lead_service.emails.models import OutboxMessage
from lead_service.emails.transports.folder import Folder
from lead_service.leads import capture
from lead_service.leads.models import Lead
from lead_service.privacy import erasure, retention
from lead_service.privacy import export as privacy_export
from lead_service.privacy.models import Suppression
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import press, sign_in
from tests.support.app.personal_data import leave_every_trace, write
from tests.support.app.stored_data import mentions
from tests.support.app.visitor_forms import VISITOR, book
from tests.support.engines import only_sqlite

ADA, EVE = VISITOR["email"], "eve@example.com"
# Columns that identify a person or a lead.
NAMES_SOMEBODY = {"address", "email", "lead_id", "booking_id", "member_id", "digest"}
OF_A_HOST = {"host_id", "override_id", "feed_id"}
NOBODYS = {"outbox_pause", "framework_version", "funnel_count", "demo_data", "retention_plan"}


@pytest.fixture
def visitor(client, framework, database, at) -> None:
    """A visitor who did everything possible, with a member's note about them."""
    leave_every_trace(client, framework, database)


def erase(database, settings, address: str = ADA) -> dict[str, int]:
    return database.write(
        lambda session: erasure.erase(session, settings, address, Actor(clock.now()))
    )


def export(database, settings, address: str = ADA) -> dict[str, list]:
    with database.read() as session:
        return privacy_export.export_data(session, settings, address)


# -- Export ---------------------------------------------------------------------------------


def test_the_export_contains_every_table_with_personal_data(client, visitor, database, settings):
    """A new table with such a column fails here until the export contains it."""
    named = {
        table.name
        for table in Base.metadata.sorted_tables
        if (NAMES_SOMEBODY | OF_A_HOST) & set(table.columns.keys())
    }
    assert set(Base.metadata.tables) - named - NOBODYS == set()
    erase(database, settings, EVE)
    sign_in(client, database, settings, ADA)
    held = export(database, settings)
    assert set(held) >= named
    empty = {name for name, rows in held.items() if not rows}
    of_a_host = {model.__tablename__ for model, _ in held_about(select(Host.id))}
    assert empty == {"suppression", "audit", "erasure_job", "passkey", *of_a_host}
    assert [row["what"] for row in export(database, settings, "grace@example.com")["audit"]] == [
        "note_added"
    ]
    assert export(database, settings, EVE)["suppression"] == [{"at": MONDAY_MORNING.isoformat()}]


def test_the_export_is_json_and_opens_nothing(client, visitor, database, settings):
    database.write(lambda session: membership.add_member(session, ADA, MONDAY_MORNING).id)
    press(client, "/desk/sign-in/", email=ADA)
    held = export(database, settings)
    text = json.dumps(held)
    assert VISITOR["topic"] in text
    assert "/desk/sign-in/" not in text
    secret = {"token_hash", "id_hash", "submission_key", "lease_token"}
    assert not secret & {name for rows in held.values() for row in rows for name in row}
    with database.read() as session:
        for column in (Booking.token_hash, Assessment.token_hash, SignInLink.token_hash):
            assert not any(value in text for value in session.scalars(select(column)))


def test_the_export_contains_nothing_about_other_people(client, visitor, database, settings):
    write(client, EVE, "Eve")
    assert EVE not in json.dumps(export(database, settings))
    assert ADA not in json.dumps(export(database, settings, EVE))


def test_an_address_is_found_however_it_is_typed(visitor, database, settings):
    for typed in ("ADA@example.com", " ada@EXAMPLE.COM", "Ada@Example.com "):
        assert export(database, settings, typed) == export(database, settings)


def test_the_export_of_a_host_is_whole_and_opens_no_calendar(app, database, settings):
    today = MONDAY_MORNING.date()

    def fill(session) -> None:
        host = session.scalars(select(Host)).one()
        host.email = "ann@example.com"
        host.time_off = [TimeOff(first_day=today, last_day=today, note="At the lake")]
        host.overrides = [DateOverride(day=today, windows=[OverrideWindow(opens=0, closes=60)])]
        host.feeds = [CalendarFeed(url="https://example.com/secret.ics", label="Work")]
        session.flush()
        night = {"starts_at": MONDAY_MORNING, "ends_at": MONDAY_MORNING.replace(hour=23)}
        session.add(BusyTime(feed_id=host.feeds[0].id, **night))

    database.write(fill)
    held = export(database, settings, "ann@example.com")
    assert all(held[model.__tablename__] for model, _ in held_about(select(Host.id)))
    assert held["time_off"][0]["first_day"] == today.isoformat()
    assert held["busy_time"][0]["starts_at"] == MONDAY_MORNING.isoformat()
    assert "secret" not in json.dumps(held)


# -- Erasing --------------------------------------------------------------------------------


@pytest.mark.both_engines
def test_erasing_leaves_no_trace_of_the_person(client, visitor, database, settings):
    write(client, EVE, "Eve Bystander")
    known = (ADA, VISITOR["name"], VISITOR["company"], VISITOR["topic"], VISITOR["phone"])
    assert mentions(database, *known)
    counts = erase(database, settings)
    assert mentions(database, *known) == []
    assert counts["lead"] == counts["booking"] == counts["assessment"] == 1
    assert mentions(database, EVE)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(TimeCell)) == 0


def test_the_mistyped_address_is_erased_too(client, database, settings, at, post):
    typo = "adda@example.com"
    page = book(client, email=typo)
    post()
    client.post(page + "address", data={"email": ADA})
    post()
    assert any(typo in file.read_text() for file in settings.mail_folder.iterdir())
    assert {mail["address"] for mail in export(database, settings)["outbox"]} >= {typo, ADA}
    with database.read() as session:
        theirs = privacy_export.Person(session, settings, ADA).their_mails()
        assert typo in session.scalars(select(OutboxMessage.address).where(theirs)).all()
    erasure.erase_everywhere(database, settings, ADA, Actor(MONDAY_MORNING))
    assert mentions(database, typo, ADA) == []
    assert not any(typo in file.read_text() for file in settings.mail_folder.iterdir())


@only_sqlite
def test_no_erased_text_stays_in_the_files_of_the_database(visitor, database, settings):
    path = Path(database.engine.url.database)
    written = VISITOR["topic"].encode()
    assert any(written in file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    erasure.erase_everywhere(database, settings, ADA, Actor(clock.now()))
    assert not any(written in file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def test_only_a_keyed_digest_remains(visitor, database, settings):
    erase(database, settings)
    erase(database, settings, ADA.upper())
    with database.read() as session:
        marks = session.scalars(select(Suppression)).all()
    assert [mark.at for mark in marks] == [MONDAY_MORNING]
    other = settings.model_copy(update={"secret_key": None})
    with database.read() as session:
        assert privacy_export.export_data(session, other, ADA)["suppression"] == []


def test_an_erased_person_who_returns_gets_a_new_id(client, visitor, database, settings):
    (before,) = export(database, settings)["lead"]
    erase(database, settings)
    write(client, ADA, "Ada again")
    (after,) = export(database, settings)["lead"]
    assert after["id"] > before["id"]


def test_erasing_staff_keeps_the_emails_about_other_leads(client, visitor, database, settings):
    """A member tried the form with their own address, and has the address erased."""
    team = settings.sales_to[0]
    write(client, team, "Trying it out")
    erase(database, settings, team)
    with database.read() as session:
        about = session.scalars(select(OutboxMessage.kind).where(OutboxMessage.address == team))
        assert "new_lead" in about.all()
        assert session.scalars(select(Lead.address)).all() == [ADA]


def test_erasing_does_not_end_a_membership(client, database, settings, at):
    sign_in(client, database, settings, ADA)
    erase(database, settings)
    assert client.get("/desk/").status_code == 200


@pytest.mark.parametrize("typed", ["Ada@Bücher.example", "ADA@xn--bcher-kva.example"])
def test_an_international_address_is_erased_in_its_typed_form_too(
    client, database, settings, at, typed
):
    write(client, typed, "Ada")
    mail(database, typed)
    erase(database, settings, capture.normalize_email(typed))
    assert mentions(database, typed, capture.normalize_email(typed)) == []


def mail(database, to: str) -> None:
    """Queue a mail that belongs to no lead."""
    week = {"at": MONDAY_MORNING, "useless_after": MONDAY_MORNING + timedelta(days=7)}
    database.write(lambda session: outbox.queue(session, "invited", to, **week))


def test_emails_in_the_folder_are_erased_with_their_rows(visitor, database, settings):
    mail(database, EVE)
    folder = Folder(settings)
    with database.read() as session:
        written = session.scalars(select(OutboxMessage)).all()
    for row in written:
        folder.send(Message(row.kind, row.address, "", "Subject", "Text", "<p>Text</p>"), row.id)
    assert len(list(settings.mail_folder.iterdir())) == len(written)
    counts = erasure.erase_everywhere(database, settings, ADA, Actor(MONDAY_MORNING))
    assert counts["files"] == len(written) - 1
    (left_over,) = settings.mail_folder.iterdir()
    assert EVE in left_over.read_text()


def test_only_counts_are_logged(visitor, database, settings, caplog):
    caplog.set_level(logging.DEBUG)
    erase(database, settings)
    retention.erase(database, settings, MONDAY_MORNING)
    logged = " ".join(str(record.__dict__) for record in caplog.records)
    assert "'lead': 1" in logged
    for known in (ADA, VISITOR["name"]):
        assert known not in logged
