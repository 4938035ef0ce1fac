"""Delivery events posted to the webhook, in any order and number."""

import itertools
import threading
from datetime import timedelta

import pytest
from sqlalchemy import event as on
from sqlalchemy import func, select, update

from lead_service.emails import admin_actions
from lead_service.emails.delivery_events import Event, apply_events
from lead_service.emails.models import DeliveryEvent, OutboxMessage
from lead_service.leads import capture
from lead_service.leads.contact_details import ContactDetails
from lead_service.leads.models import Lead, LeadEvent
from tests.service.conftest import MONDAY_MORNING as NOW
from tests.support.app.calls import count
from tests.support.app.desk_client import sign_in
from tests.support.app.outbox_helper import HOUR, FakeTransport, OutboxHelper, in_threads
from tests.support.app.stored_data import everything
from tests.support.webhook_signing import post, sign

ADA = "ada@example.com"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def lead_id(app, database) -> int:
    return database.write(
        lambda session: capture.capture_lead(session, ContactDetails(email=ADA), at=NOW).id
    )


@pytest.fixture
def sent(room, lead_id) -> str:
    """The id of an email to a lead that the provider has accepted."""
    return send(room, lead_id)


def send(room: OutboxHelper, lead_id: int, to: str = "Ada") -> str:
    queued = room.put(at=NOW, address=f"{to}@example.com", lead_id=lead_id)
    room.drain(FakeTransport(), NOW)
    return queued


def told(outbox_id: str, kind: str, minutes: float = 0, **more) -> dict:
    at = (NOW + minutes * MINUTE).timestamp() - 3600
    id = f"{kind}-{minutes}"
    return {"event": kind, "outbox_id": outbox_id, "timestamp": at, "sg_event_id": id} | more


def lead(room: OutboxHelper) -> Lead:
    with room.database.read() as session:
        return session.scalars(select(Lead)).one()


def timeline(room: OutboxHelper) -> list[str]:
    with room.database.read() as session:
        return list(session.scalars(select(LeadEvent.kind).order_by(LeadEvent.id)))


# -- What an event comes to -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "standing"),
    [
        ("processed", "processed"),
        ("deferred", "deferred"),
        ("delivered", "delivered"),
        ("bounce", "bounced"),
        ("dropped", "dropped"),
        ("spamreport", "reported"),
    ],
)
def test_an_event_updates_the_delivery_of_its_email(client, room, sent, kind, standing):
    assert post(client, [told(sent, kind)]).status_code == 200
    row = room.row(sent)
    assert (row.state, row.delivery, row.delivery_at) == ("sent", standing, NOW - 60 * MINUTE)


def test_a_bounce_marks_the_lead_tells_the_timeline_and_raises_the_alarm(client, room, sent):
    post(client, [told(sent, "bounce", status="5.1.1")])
    assert lead(room).bounced_at == NOW - 60 * MINUTE
    assert timeline(room) == ["mail_bounced"]
    assert room.row(sent).reason == "there is no such mailbox (5.1.1)"
    assert any("bounced" in one for one in room.health(NOW).troubles)


def test_an_email_that_was_dropped_marks_the_lead_too_and_keeps_it(client, room, sent):
    post(client, [told(sent, "dropped", reason="Bounced Address")])
    assert lead(room).bounced_at == NOW - 60 * MINUTE
    assert any("bounced" in one for one in room.health(NOW).troubles)


def test_the_leads_page_shows_the_state_of_each_email(client, database, settings, sent):
    post(client, [told(sent, "delivered", 1), told(sent, "bounce", 2, status="5.1.1")])
    sign_in(client, database, settings)
    text = client.get("/desk/leads/1/").text
    assert "An email was delivered (Result to the visitor)" in text
    assert "An email bounced (Result to the visitor): there is no such mailbox (5.1.1)" in text
    of_the_mail = client.get(f"/desk/outbox/{sent}/").text
    assert "Bounced" in of_the_mail and "Delivered to their server" in of_the_mail


def test_a_delivered_email_clears_the_bounce_and_an_older_delivery_does_not(
    client, room, sent, lead_id
):
    second = send(room, lead_id)
    post(client, [told(sent, "bounce", 5)])
    post(client, [told(second, "delivered", 3)])
    assert lead(room).bounced_at
    post(client, [told(send(room, lead_id), "delivered", 9)])
    assert lead(room).bounced_at is None


def test_after_a_correction_only_the_new_address_counts(client, room, sent, lead_id):
    post(client, [told(sent, "bounce", 1)])
    room.database.write(
        lambda session: capture.correct_lead_email(
            session, session.get_one(Lead, lead_id), "eve@example.com"
        )
    )
    post(client, [told(sent, "dropped", 2)])
    assert lead(room).bounced_at is None
    post(client, [told(send(room, lead_id, "Eve"), "delivered", 3)])
    assert lead(room).bounced_at is None
    assert timeline(room) == ["mail_bounced", "mail_delivered"]


def test_a_bounced_email_to_the_team_does_not_mark_the_lead(client, room, lead_id):
    to_the_team = send(room, lead_id, "team")
    post(client, [told(to_the_team, "bounce")])
    assert lead(room).bounced_at is None
    assert timeline(room) == []
    assert room.health(NOW).troubles


def test_events_that_arrive_before_the_providers_answer_are_kept(client, room, lead_id):
    outbox_id = room.put("ada", lead_id=lead_id, at=NOW)

    def tell_then_accept(_message):
        post(client, [told(outbox_id, "dropped", reason="Invalid")])
        return FakeTransport().answer(_message)

    room.drain(FakeTransport(tell_then_accept), NOW)
    row = room.row(outbox_id)
    assert (row.state, row.delivery, row.reason) == (
        "sent",
        "dropped",
        "this is not an email address",
    )


@pytest.mark.parametrize("state", ["pending", "sending", "cancelled", "dead"])
@pytest.mark.parametrize("kind", ["processed", "delivered"])
def test_an_event_about_an_email_without_an_answer_proves_that_it_was_sent(
    client, room, lead_id, state, kind
):
    outbox_id = room.put("ada", lead_id=lead_id, at=NOW)
    lost = update(OutboxMessage).values(state=state, attempts=1, alarm_at=NOW)
    room.database.write(lambda session: session.execute(lost))
    post(client, [told(outbox_id, kind)])
    row = room.row(outbox_id)
    assert (row.state, row.alarm_at, row.lease_token) == ("sent", None, None)
    transport = FakeTransport()
    room.drain(transport, NOW + 3 * HOUR)
    assert transport.tried == []


LATE = {"event": "bounce", "sg_event_id": "x", "status": "5.1.1", "timestamp": NOW.timestamp() + 60}


@pytest.mark.parametrize(
    "named",
    [
        {"sg_message_id": "provider-1.filter0001.16648.5515E0B88.0"},
        {"sg_message_id": "", "email": "Ada@example.com"},
        {"sg_message_id": "of.another.sender", "email": "Ada@example.com"},
    ],
)
def test_a_bounce_that_does_not_name_our_email_is_found(client, room, sent, at, named):
    at(NOW + HOUR)
    post(client, [LATE | named])
    assert room.row(sent).delivery == "bounced" and lead(room).bounced_at


@pytest.mark.parametrize(
    "named",
    [
        {"email": "eve@example.com"},
        {"sg_message_id": "of.another.sender"},
        {"email": "Ada@example.com", "timestamp": NOW.timestamp() - 60},
    ],
)
def test_a_bounce_of_another_sender_s_email_changes_nothing(client, room, sent, at, named):
    at(NOW + HOUR)
    post(client, [LATE | named])
    assert room.row(sent).delivery == ""


def test_an_event_repeated_with_another_id_counts_once(client, room, sent, database):
    event = told(sent, "bounce")
    post(client, [event, event | {"sg_event_id": "another"}])
    assert count(database, DeliveryEvent) == 1
    assert timeline(room) == ["mail_bounced"]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"event": "bounce", "type": "bounce"}, "an earlier email to this address bounced"),
        ({"event": "spamreport"}, "they called an earlier email spam"),
        ({"event": "bounce", "type": "blocked"}, ""),
        ({"event": "deferred"}, ""),
    ],
)
def test_reminders_stop_after_a_hard_bounce_or_a_spam_report(client, room, sent, event, reason):
    reminder = {"kind": "booking_reminder", "at": NOW, "due_at": NOW + HOUR}
    planned = room.put(address="Ada@example.com", **reminder)
    other = room.put(address="eve@example.com", **reminder)
    post(client, [told(sent, "") | event])
    row = room.row(planned)
    assert (row.state, row.reason) == ("cancelled" if reason else "pending", reason)
    assert room.row(other).state == "pending"


# -- Disorder -------------------------------------------------------------------------------


def test_events_have_the_same_result_in_any_order(room, sent, lead_id):
    kinds = [("deferred", 0), ("delivered", 1), ("bounced", 2), ("deferred", 3)]
    life = [
        Event(sent, f"{n:064}", kind, NOW + at * MINUTE, kind) for n, (kind, at) in enumerate(kinds)
    ]
    outcomes = set()
    for order in itertools.permutations(life):
        room.database.write(_forget)
        for one in order:
            room.database.write(lambda session, one=one: apply_events(session, [one], NOW))
        row = room.row(sent)
        outcomes.add((row.delivery, row.delivery_at, row.reason, lead(room).bounced_at))
    assert outcomes == {("bounced", NOW + 2 * MINUTE, "bounced", NOW + 2 * MINUTE)}


def _forget(session) -> None:
    session.query(DeliveryEvent).delete()
    session.query(LeadEvent).delete()
    session.execute(update(OutboxMessage).values(delivery="", delivery_at=None, reason=""))
    session.execute(update(Lead).values(bounced_at=None))


@pytest.mark.both_engines
def test_a_replayed_event_is_accepted_and_changes_nothing(client, room, sent, database):
    events = [told(sent, "delivered", 1), told(sent, "bounce", 2), told(sent, "bounce", 2)]
    assert post(client, events).status_code == 200
    before = everything(database)
    for _ in range(3):
        assert post(client, events).status_code == 200
    assert everything(database) == before
    assert timeline(room) == ["mail_delivered", "mail_bounced"]


@pytest.mark.both_engines
def test_the_same_events_at_the_same_moment_count_once(app, client, room, sent, lead_id):
    both = [told(sent, "bounce", 1), told(send(room, lead_id), "delivered", 2)]
    together, answers = threading.Barrier(4), []

    def tell() -> None:
        mine = app.test_client()
        together.wait()
        answers.append(post(mine, both).status_code)

    in_threads(tell, 4)
    assert answers == [200] * 4
    assert sorted(timeline(room)) == ["mail_bounced", "mail_delivered"]
    assert lead(room).bounced_at is None


def test_an_acknowledged_alarm_does_not_come_back(client, room, sent):
    post(client, [told(sent, "bounce", 1)])
    room.database.write(lambda session: admin_actions.acknowledge(session, [sent]))
    post(client, [told(sent, "bounce", 2), told(sent, "dropped", 3)])
    assert room.row(sent).alarm_at is None


def test_events_of_emails_that_were_erased_change_nothing(client, room, sent, database):
    database.write(lambda session: session.delete(session.get_one(OutboxMessage, sent)))
    before = everything(database)
    assert post(client, [told(sent, "bounce"), told("f" * 32, "bounce")]).status_code == 200
    assert everything(database) == before


@pytest.mark.both_engines
def test_a_thousand_events_at_once_are_all_kept(client, room, sent, database):
    events = [told(sent, "deferred", n / 100, note="x" * 300) for n in range(1000)]
    assert post(client, events).status_code == 200
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(DeliveryEvent)) == 1000


# -- What is refused ------------------------------------------------------------------------


def refused(client, status: int, *arguments, **changed) -> None:
    answer = client.post("/hooks/sendgrid", *arguments, **changed)
    assert answer.status_code == status, answer.text


def test_events_without_a_valid_signature_are_403(client, room, sent, database):
    body = b"[]"
    before = everything(database)
    for headers in (
        {},
        sign(b"[1]"),
        dict.fromkeys(sign(body), ""),
        dict.fromkeys(sign(body), "\xff"),
        sign(body, "179000000"),
    ):
        refused(client, 403, data=body, headers=headers)
    refused(client, 403, data=b"\xff\xfe", headers=sign(body))
    refused(client, 403, headers=sign(body))
    assert everything(database) == before


def test_a_signed_body_that_is_not_a_list_is_400(client):
    for body in [b"{}", b"null", b"[", b"not json", b"[" * 200_000, b""]:
        refused(client, 400, data=body, headers=sign(body))


def test_more_than_a_megabyte_is_413(client):
    body = b"[" + b" " * 1024 * 1024 + b"]"
    refused(client, 413, data=body, headers=sign(body))
    nearly = b"[" + b" " * (1024 * 1024 - 2) + b"]"
    assert post(client, nearly).status_code == 200


def test_without_a_key_there_is_no_such_page(client, app):
    app.extensions["lead_service"].settings.__dict__["sendgrid_webhook_key"] = ""
    for body in (b"[]", b"[" * 70_000):  # longer than a form may be
        assert post(client, body).status_code == 404


@pytest.mark.both_engines
def test_a_database_outage_gives_503_and_later_retries_succeed(client, app, room, sent):
    engine = app.extensions["lead_service"].database.engine

    def refuse(*_args) -> None:
        raise engine.dialect.dbapi.OperationalError("unable to open the database")

    on.listen(engine, "do_connect", refuse)
    engine.dispose()
    assert post(client, [told(sent, "delivered")]).status_code == 503
    on.remove(engine, "do_connect", refuse)
    assert post(client, [told(sent, "delivered")]).status_code == 200
    assert room.row(sent).delivery == "delivered"


def test_logs_hold_counts_and_no_address(client, sent, caplog):
    caplog.set_level("DEBUG")
    post(client, [told(sent, "bounce", email=ADA, reason=f"550 <{ADA}> unknown")])
    logged = "\n".join(f"{one.getMessage()} {vars(one)}" for one in caplog.records)
    assert "delivery events" in logged
    assert ADA not in logged
