"""Privacy at the desk: what is held is shown, handed out and erased, and leaves its line."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from lead_service.book.models import Booking
from lead_service.emails import provider_erasure
from lead_service.emails.models import ErasureJob
from lead_service.leads.models import Lead
from lead_service.privacy import export
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.desk_client import press, sign_in
from tests.support.app.hosts import trail
from tests.support.app.stored_data import mentions
from tests.support.app.visitor_forms import VISITOR, assess, book

ADA, ANN = VISITOR["email"], "ann@example.com"
PAGE = "/desk/privacy/"


@pytest.fixture
def ann(client, database, settings, at) -> None:
    """Ann, an admin who is signed in."""
    sign_in(client, database, settings, ANN)


@pytest.fixture
def ada(client, ann, framework) -> None:
    """A visitor with answers and a booking."""
    book(client, assessment=assess(client, framework).split("/")[2])


def noted_of(database) -> list[tuple]:
    return [line[:3] for line in trail(database)[1:]]


def test_data_about_an_address_is_counted_in_words(client, ada):
    text = press(client, PAGE, email=" ADA@Example.com ").text
    for shown in ("Data we hold about", "Calls: <strong>1</strong>", "Consents: ", "coming"):
        assert shown in text
    assert 'href="/desk/leads/1/"' in text


def test_an_unknown_address_has_no_data(client, ada):
    assert "We hold no data" in press(client, PAGE, email="eve@example.com").text


def test_an_invalid_address_is_reported_beside_the_field_and_kept(client, ada, database):
    for action in ["", "export", "erase"]:
        sent = press(client, PAGE, PAGE + action, email="ada at example")
        assert sent.status_code == 422, action
        assert 'value="ada at example"' in sent.text
        assert noted_of(database) == []


def test_everything_held_is_handed_out_as_a_file_and_that_is_noted(client, ada, database, settings):
    answer = press(client, PAGE, PAGE + "export", email=ADA)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="everything-held.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    with database.read() as session:
        held = export.export_data(session, settings, ADA)
    assert json.loads(answer.data) == held
    assert noted_of(database) == [(1, "exported", "lead 1")]


def test_erasing_an_address_leaves_no_trace_but_the_mark_and_the_line(client, ada, database):
    asked = press(client, PAGE, email=ADA).text
    assert "undo this" in asked and "Calls are coming up" in asked
    assert mentions(database, ADA)
    assert press(client, PAGE, PAGE + "erase", email=ADA).location == PAGE
    assert mentions(database, ADA, VISITOR["name"], VISITOR["topic"]) == []
    assert noted_of(database) == [(1, "erased", "lead 1")]
    assert "Erased." in client.get(PAGE).text
    assert client.get("/desk/leads/1/").status_code == 404


def test_backups_that_hold_it_are_named_with_their_end(client, ada, settings, tmp_path, app):
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / f"lead_service-{MONDAY_MORNING:%Y%m%dT%H%M%SZ}.backup").write_text("x")
    known = app.extensions["lead_service"]
    other = known.settings.model_copy(update={"backup_dir": folder})
    app.extensions["lead_service"] = replace(known, settings=other)
    press(client, PAGE, PAGE + "erase", email=ADA)
    until = MONDAY_MORNING + timedelta(days=other.backup_days)
    assert f"contain it until {until:%B} {until.day}, {until.year}" in client.get(PAGE).text


def test_the_preview_counts_the_rows_of_the_next_run_and_erases_nothing(
    client, ada, database, settings, at
):
    long_ago = MONDAY_MORNING - timedelta(days=settings.retention_days + 60)

    def age(session) -> None:
        session.execute(update(Lead).values(touched_at=long_ago))
        session.execute(update(Booking).values(starts_at=long_ago))

    assert "Nothing is due to be erased." in client.get(PAGE).text
    database.write(age)
    text = client.get(PAGE).text
    assert "will erase <strong>1</strong> lead with everything" in text
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Lead)) == 1


def test_the_preview_names_the_leads_that_go_soon(client, ada, database, settings):
    text = client.get(PAGE).text
    assert VISITOR["name"] not in text
    nearly = MONDAY_MORNING - timedelta(days=settings.retention_days - 10)

    def age(session) -> None:
        session.execute(update(Lead).values(touched_at=nearly))
        session.execute(update(Booking).values(starts_at=nearly))

    database.write(age)
    text = client.get(PAGE).text
    assert VISITOR["name"] in text
    assert "Dec 3" in text


def waiting(database, at=MONDAY_MORNING) -> ErasureJob | None:
    """Return the pending erasures, with a key set."""
    database.write(lambda session: provider_erasure.promise(session, [ADA], at))
    with database.read() as session:
        return session.scalars(select(ErasureJob)).one()


@pytest.mark.parametrize(
    ("fields", "left", "noted"),
    [({}, 1, []), ({"by_hand": "y"}, 0, [(1, "erased_by_hand", "erasure 1")])],
)
def test_pending_erasures_can_be_retried_or_marked_as_done_by_hand(
    client, ann, database, fields, left, noted
):
    assert "Still at SendGrid" not in client.get(PAGE).text
    job = waiting(database)
    assert ADA in client.get(PAGE).text
    assert press(client, PAGE, PAGE + "provider", job=str(job.id), **fields).location == PAGE
    with database.read() as session:
        jobs = session.scalars(select(ErasureJob)).all()
    assert [job.next_at for job in jobs] == [MONDAY_MORNING] * left
    assert noted_of(database) == noted
