"""Exports: the CSV of any view, and the JSON of one lead."""

import csv
import io
import json
from datetime import timedelta

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from lead_service.book.models import Booking, CallOutcome
from lead_service.desk.leads import exports
from lead_service.leads import capture
from lead_service.leads.contact_details import LABELS, ContactDetails
from lead_service.leads.models import Lead
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.stored_data import confirm_ticks, kept
from tests.support.app.visitor_forms import PHASE, VISITOR, WORST, assess, book

LISTED = {
    *("id", *LABELS, "stage", "owner", "next_action"),
    *("next_action_on", "possible_spam", "mail_comes_back", "created_at", "touched_at"),
    *("answers_from", "scores", "overall", "phase", "begin_with", "articles", "wrote", "notes"),
    *("calls", "timeline", "consents", "first_touch", "last_touch", "phone_e164", "disowned"),
    *("assessments", "emails", "diagnosis", "recommended", "may_write", "permission"),
}
CALL = {
    *("starts_at", "booked_at", "canceled_at", "kind", "minutes", "host", "status", "outcome"),
    *("topic", "article", "source", "with_answers", *LABELS),
}
FORMULA = '=HYPERLINK("//evil.example";"x")'


def records(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"), newline=""), strict=True))


def test_the_csv_of_a_view_has_its_leads_with_all_their_details(client, admin, framework, database):
    result = assess(client, framework, {"organize": WORST})
    came = {"utm_source": "linkedin", "utm_medium": "social", "from": "about-organize"}
    book(
        client, assessment=result.split("/")[2], may_contact="y", phone="+1 (212) 555-0100", **came
    )
    confirm_ticks(database)
    (row,) = records(client.get("/desk/leads.csv"))
    assert row["Name"] == VISITOR["name"]
    assert (row["Phone"], row["Phone as typed"]) == ("+12125550100", "+1 (212) 555-0100")
    assert (row["Stage"], row["Begin with"], row["Possible spam"]) == ("New", "Organize", "no")
    assert row["Phase"] == framework.phase(PHASE).label
    assert (row["Organize score"], row["Clarify score"], row["Overall score"]) == ("0", "100", "83")
    assert row["Diagnosis"].startswith("Begin with Organize. Organize is at 0")
    assert row["Recommended"] and row["Topic"] == VISITOR["topic"]
    assert (row["First source"], row["First article"]) == ("", "")
    assert (row["Last source"], row["Last medium"], row["Last ref"]) == ("linkedin", "social", "")
    assert row["Last article"] == "about-organize"
    assert (row["Calls that took place"], row["No-shows"]) == ("0", "0")
    assert row["Agreed to email about"] == "our services"
    assert row["Next call (UTC)"].startswith("2026-11-2")

    def mark(session) -> None:
        for number, outcome in enumerate((CallOutcome.ATTENDED, CallOutcome.NO_SHOW), 1):
            session.get_one(Booking, number).outcome = outcome

    book(client, email="b@example.com", phone="555 0100", topic="")
    client.post("/contact/", data=VISITOR | {"email": "b@example.com", "submission": "x" * 20})
    database.write(mark)
    rows = {row["Email"]: row for row in records(client.get("/desk/leads.csv"))}
    last = rows["b@example.com"]
    assert (last["Phone"], last["Phone as typed"]) == ("", "555 0100")
    assert last["Agreed to email about"] == "their request only"
    assert (last["No-shows"], last["Topic"]) == ("1", VISITOR["topic"])
    assert rows["ada@example.com"]["Calls that took place"] == "1"
    assert records(client.get("/desk/leads.csv?stage=won")) == []
    assert client.get("/desk/leads.csv?stage=sold").status_code == 404


def test_formulas_stay_text_and_only_the_system_export_keeps_phone_numbers(client, admin, database):
    def spoil(session) -> None:
        lead = kept(session, email="ada@example.com", at=MONDAY_MORNING)
        lead.name = lead.company = lead.next_action = FORMULA
        lead.email, lead.phone = "\uff1d1", "+1 (212) 555-0100"
        lead.next_action_on = MONDAY_MORNING.date()

    database.write(spoil)
    for variant, name, start, guard in (
        ("spreadsheet", "leads-for-spreadsheets.csv", '\ufeff"Number"', "'"),
        ("", "leads.csv", '"Number"', ""),
    ):
        file = client.get(f"/desk/leads.csv?variant={variant}")
        assert file.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert file.text.startswith(start)
        (row,) = records(file)
        assert row["Name"] == row["Company"] == row["Next action"] == "'" + FORMULA
        assert row["Email"] == "'\uff1d1"
        assert row["Phone"] == f"{guard}+12125550100"
        assert row["Phone as typed"] == f"{guard}+1 (212) 555-0100"


def test_a_long_export_is_made_in_pieces_and_has_all_leads_in_order(
    client, admin, database, monkeypatch
):
    monkeypatch.setattr(exports, "AT_ONCE", 7)

    def fill(session) -> None:
        for number in range(20):
            name = f"Lead {number % 3}"
            capture.capture_lead(
                session,
                ContactDetails(email=f"l{number}@example.com", name=name),
                at=MONDAY_MORNING,
            )

    database.write(fill)
    answer = client.get("/desk/leads.csv?sort=name")
    assert answer.is_streamed and answer.content_length is None
    rows = records(answer)
    assert len({row["Number"] for row in rows}) == len(rows) == 20
    assert [row["Name"] for row in rows] == sorted(row["Name"] for row in rows)


def test_a_lead_changed_during_the_export_is_in_the_file(client, admin, database, monkeypatch):
    monkeypatch.setattr(exports, "AT_ONCE", 2)

    def fill(session) -> None:
        for number in range(5):
            at = MONDAY_MORNING - timedelta(hours=number)
            capture.capture_lead(session, ContactDetails(email=f"l{number}@example.com"), at=at)

    def touch_the_last(session) -> None:
        session.get_one(Lead, 5).touched_at = MONDAY_MORNING + timedelta(hours=1)

    database.write(fill)
    pieces = client.get("/desk/leads.csv").iter_encoded()
    read = [next(pieces), next(pieces)]
    database.write(touch_the_last)
    text = b"".join([*read, *pieces]).decode()
    assert [text.count(f"l{number}@example.com") for number in range(5)] == [1] * 5


def test_a_file_truncated_by_an_error_says_that_it_is_incomplete(
    client, admin, database, monkeypatch, caplog
):
    def fail(*_any) -> str:
        raise OperationalError("SELECT", {}, Exception("gone"))

    database.write(lambda session: kept(session, email="a@example.com", at=MONDAY_MORNING) and None)
    monkeypatch.setattr(exports, "_records", fail)
    head, last = client.get("/desk/leads.csv").text.splitlines()
    assert head.startswith('"Number",') and last == f'"{exports.BROKEN_OFF}"'
    assert "failed after 0 of 1" in caplog.text


def test_one_lead_as_json_holds_the_listed_fields(client, admin, framework, database):
    result = assess(client, framework, WORST)
    book(client, assessment=result.split("/")[2])
    answer = client.get("/desk/leads/1.json")
    assert answer.content_type == "application/json"
    assert 'filename="lead-1.json"' in answer.headers["Content-Disposition"]
    told = json.loads(answer.data)
    assert (told["name"], told["stage"], told["owner"]) == (VISITOR["name"], "new", None)
    assert told["scores"]["clarify"] == 0
    assert told["begin_with"] == "assess"
    assert told["wrote"][0]["text"] == VISITOR["topic"]
    assert told["calls"][0]["status"] == "confirmed"
    assert set(told) == LISTED
    assert set(told["calls"][0]) == CALL
    assert told["assessments"][0]["answers"][0]["answer"]
    (booked,) = (one["text"] for one in told["timeline"] if one["text"].startswith("Booked"))
    assert booked.endswith(" UTC")  # readers of the file don't know the desk's zone
    assert {mail["kind"] for mail in told["emails"]} >= {"booking_confirmed"}


def test_lists_and_exports_need_as_many_queries_for_many_leads_as_for_one(
    client, admin, framework, database
):
    def asked(path: str) -> int:
        statements: list[str] = []
        note = lambda _c, _r, statement, *_more: statements.append(statement)  # noqa: E731
        event.listen(Engine, "before_cursor_execute", note)
        assert client.get(path).data
        event.remove(Engine, "before_cursor_execute", note)
        return len(statements)

    def come(number: int) -> None:
        result = assess(client, framework, WORST)
        client.post(f"{result}mail", data={"email": f"l{number}@example.com"})

    paths = ("/desk/", "/desk/leads.csv")
    come(0)
    first = [asked(path) for path in paths]
    for number in range(1, 5):
        come(number)
    assert [asked(path) for path in paths] == first
