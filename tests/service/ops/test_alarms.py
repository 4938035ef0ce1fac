"""Alarms by webhook and email: each fault is reported once, then daily."""

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from lead_service.ops import alarms
from lead_service.settings import Settings
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.commands import run_here
from tests.support.local_server import LocalServer, QuietHandler, free_port
from tests.support.mail_server import Mailbox, serving

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
LATE = "The oldest email has waited for 2 hours."
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class Hook(LocalServer):
    """A webhook that answers with `.status` and records the posts."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.status = 204
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook?token=1"

    @property
    def texts(self) -> list[str]:
        return [json.loads(body)["text"] for _headers, body in self.received]


class _Handler(QuietHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append((headers, body))
        self.send_response(self.server.status)
        self.send_header("Location", "http://127.0.0.1:9/")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        yield server


@pytest.fixture
def settings(hook, tmp_path) -> Settings:
    return Settings(alarm_webhook=hook.url, alarm_webhook_secret=SECRET, var_dir=tmp_path)


def test_the_webhook_is_signed_and_has_text_for_chat_programs(hook, settings):
    assert alarms.tell(settings, [LATE], MONDAY_MORNING) == []
    ((headers, body),) = hook.received
    payload = json.loads(body)
    assert payload["type"] == "check.failed"
    assert payload["data"] == {"site": "http://127.0.0.1:8000/", "faults": [LATE], "fixed": []}
    assert payload["text"] == f"127.0.0.1 needs your attention:\n{LATE}"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.digest(KEY, signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert int(headers["webhook-timestamp"]) == MONDAY_MORNING.timestamp()


def test_the_same_faults_are_reported_once_a_day_and_their_end_once(hook, settings):
    longer = LATE.replace("2", "3")
    for faults, after in (
        ([LATE], 0 * MINUTE),
        ([longer], 15 * MINUTE),  # the same fault, with a longer wait
        ([longer, "disk: 1 MB left"], 30 * MINUTE),  # another fault
        (["disk: 1 MB left", longer], 45 * MINUTE),
        (["disk: 1 MB left", longer], DAY + 45 * MINUTE),  # still
        (["disk: 1 MB left"], DAY + 50 * MINUTE),  # one is fixed
        ([], DAY + 60 * MINUTE),  # over
        ([], DAY + 75 * MINUTE),
        ([LATE], DAY + 90 * MINUTE),  # again
    ):
        assert alarms.tell(settings, faults, MONDAY_MORNING + after) == []
    kinds = [text.count("\n") for text in hook.texts]
    assert kinds == [1, 2, 2, 3, 0, 1]
    assert hook.texts[3].endswith(f"disk: 1 MB left\nFixed since we last wrote:\n{longer}")


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_refused_alarm_is_retried_and_sent_nowhere_else(hook, settings, status):
    hook.status = status
    assert alarms.tell(settings, [LATE], MONDAY_MORNING) == [f"ALARM_WEBHOOK: it answered {status}"]
    hook.status = 200
    assert alarms.tell(settings, [LATE], MONDAY_MORNING + MINUTE) == []
    assert len(hook.received) == 2


@pytest.mark.parametrize("note", ["{", "[]", "{}", '{"kind": "", "at": 3}'])
def test_an_unreadable_record_of_alarms_counts_as_none(hook, settings, note):
    (settings.var_dir / "alarm.json").write_text(note)
    assert alarms.tell(settings, [LATE], MONDAY_MORNING) == []
    assert len(hook.received) == 1


def test_an_email_goes_by_the_mail_server_where_the_provider_sends_the_others(tmp_path):
    mailbox = Mailbox()
    with serving(mailbox) as port:
        settings = Settings(
            sendgrid_api_key="SG.key",
            sendgrid_host=f"http://127.0.0.1:{free_port()}",
            smtp_url=f"smtp://127.0.0.1:{port}",
            sales_to="ann@practice.test, bob@practice.test",
            var_dir=tmp_path,
        )
        assert alarms.can_tell_of_email(settings)
        assert alarms.tell(settings, ["Sending has stopped."], MONDAY_MORNING) == []
    assert [to for _sender, to, _content in mailbox.received] == [
        ["ann@practice.test"],
        ["bob@practice.test"],
    ]
    assert (
        b"Subject: 127.0.0.1 needs your attention: Sending has stopped." in mailbox.received[0][2]
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"DATABASE_URL": "sqlite:////nowhere/lead_service.db"},
        {"SALES_TO": "a@x.test;b"},
        {"VAR_DIR": "/nowhere"},
    ],
)
def test_faults_that_keep_check_from_starting_are_reported_too(hook, monkeypatch, tmp_path, wrong):
    given = {"VAR_DIR": str(tmp_path), "ALARM_WEBHOOK": hook.url, "SECRET_KEY": "x" * 40} | wrong
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    status, _printed, said = run_here("check", "--tell")
    assert status == 2
    (text,) = hook.texts
    assert next(iter(wrong)) in text and next(iter(wrong)) in said


def test_every_recipient_is_emailed_once_when_one_address_is_refused(tmp_path):
    mailbox = Mailbox(**{"rcpt bob@practice.test": "550 5.1.1 no such user"})
    with serving(mailbox) as port:
        settings = Settings(
            smtp_url=f"smtp://127.0.0.1:{port}",
            sales_to="ann@practice.test, bob@practice.test, cy@practice.test",
            var_dir=tmp_path,
        )
        told = [alarms.tell(settings, [LATE], MONDAY_MORNING + n * MINUTE) for n in range(3)]
    assert [to for _sender, to, _content in mailbox.received] == [
        ["ann@practice.test"],
        ["cy@practice.test"],
    ]
    ((fault,), *later) = told
    assert fault.startswith("alarm: no email could be sent (the mail server refused this recip")
    assert later == [[], []]


def test_an_alarm_that_cannot_be_recorded_is_sent_with_the_reason(hook, settings):
    gone = settings.model_copy(update={"var_dir": settings.var_dir / "gone"})
    (fault,) = alarms.tell(gone, [LATE], MONDAY_MORNING)
    assert fault.startswith("VAR_DIR: ")
    assert len(hook.received) == 1
