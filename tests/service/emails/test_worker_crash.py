"""The deliver process, for real: killed, stopped, orphaned, and without its database."""

import os
import random
import signal
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from lead_service.clock import now
from lead_service.emails import worker
from lead_service.emails.transports.base import Stop
from lead_service.emails.transports.folder import Folder
from lead_service.emails.transports.sendgrid import SendGrid
from lead_service.settings import Settings
from tests.support import deliver_process, forked
from tests.support.app.outbox_helper import compose, failing
from tests.support.fake_sendgrid import KEY, Handler, accept, accept_and_keep
from tests.support.waiting import eventually

MAILS = 30
KILLS = 2


@pytest.fixture
def start(db_url, provider, tmp_path):
    """Start deliver processes, and kill those that still run afterward."""
    started = []
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": db_url,
        "VAR_DIR": str(tmp_path),
        "SENDGRID_API_KEY": KEY,
        "SENDGRID_HOST": provider.url,
    }

    def start(is_orphan: bool = False):
        process = forked.Process(target=deliver_process.run, args=(environment, is_orphan))
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()


def test_a_killed_process_loses_no_email_and_repeats_at_most_one(room, provider, start):
    ids = {room.put(f"mail-{number}", at=now()) for number in range(MAILS)}
    chance = random.Random(20260302)

    def accept_or_be_late(handler: Handler) -> None:
        accept_and_keep(handler)
        time.sleep(0.01)  # so that some kills happen between the acceptance and its record

    provider.mode = accept_or_be_late
    for kill in range(1, KILLS + 1):
        process = start()
        assert eventually(lambda kill=kill: len(provider.received) >= kill * MAILS // (KILLS + 2))
        time.sleep(chance.random() * 0.03)
        process.kill()
        process.join()
    sender = SendGrid(Settings(sendgrid_api_key=KEY, sendgrid_host=provider.url))
    room.drain(sender, now() + timedelta(minutes=2))  # every lease has ended by then

    times_sent = Counter(provider.outbox_ids)
    assert set(times_sent) == ids
    assert len(provider.received) - len(ids) <= KILLS
    assert {room.row(one).state for one in ids} == {"sent"}
    assert provider.faults == []


def test_a_crash_between_acceptance_and_record_repeats_the_email_with_the_same_id(
    room, provider, start
):
    outbox_id = room.put(at=now())
    answered, killed = threading.Event(), threading.Event()

    def accept_and_wait(handler: Handler) -> None:
        answered.set()
        killed.wait(30)

    provider.mode = accept_and_wait
    process = start()
    assert answered.wait(60)
    process.kill()
    process.join()
    killed.set()
    assert room.row(outbox_id).state == "sending"

    provider.mode = accept
    sender = SendGrid(Settings(sendgrid_api_key=KEY, sendgrid_host=provider.url))
    room.drain(sender, now() + timedelta(minutes=2))
    assert provider.outbox_ids == [outbox_id, outbox_id]
    assert provider.received[0].body == provider.received[1].body


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)]
)
def test_a_process_told_to_stop_finishes_the_email_under_way(room, provider, start, number):
    ids = [room.put(f"mail-{number}", at=now()) for number in range(3)]
    asked, told = threading.Event(), threading.Event()

    def accept_once_told(handler: Handler) -> None:
        asked.set()
        told.wait(30)
        accept_and_keep(handler)

    provider.mode = accept_once_told
    process = start()
    assert asked.wait(60)
    os.kill(process.pid, number)
    told.set()
    process.join(60)
    assert process.exitcode == 0
    assert sorted(room.row(one).state for one in ids) == ["pending", "pending", "sent"]
    assert len(provider.received) == 1


def test_a_process_whose_parent_is_gone_ends_and_sends_nothing_more(room, provider, start):
    room.put(at=now())
    process = start(is_orphan=True)
    process.join(60)
    assert process.exitcode == 0
    assert provider.received == []


def test_a_process_delivers_emails_queued_while_it_runs(room, provider, start):
    start()
    for name in ("first", "second"):
        outbox_id = room.put(name, at=now())
        assert eventually(lambda outbox_id=outbox_id: room.row(outbox_id).state == "sent")
    assert len(provider.received) == 2


# -- The loop, in this process --------------------------------------------------------------


def settings_for(db_url: str, tmp_path: Path, **more) -> Settings:
    return Settings(database_url=db_url, var_dir=tmp_path, **more)


def test_database_errors_are_waited_out_and_logged_without_the_input(
    room, db_url, tmp_path, monkeypatch, caplog
):
    outbox_id = room.put("ada", at=now())
    faults = [OperationalError("SELECT", {"address": "ada@lead.test"}, Exception("ada")), OSError()]

    def deliver_in_trouble(*arguments, **options) -> bool:
        if faults:
            raise faults.pop()
        return deliver_one(*arguments, **options)

    deliver_one = worker.deliver_one
    monkeypatch.setattr(worker, "deliver_one", deliver_in_trouble)
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.01)
    done = lambda: room.row(outbox_id).state == "sent"  # noqa: E731
    worker.run(settings_for(db_url, tmp_path), compose, until=done)
    assert "OperationalError" in caplog.text and "OSError" in caplog.text
    assert "ada" not in caplog.text


def test_without_a_key_emails_go_to_a_folder_and_can_still_be_read(room, db_url, tmp_path):
    outbox_id = room.put("ada", at=now())
    key_id = room.put("key", kind="sign_in", at=now())
    settings = settings_for(db_url, tmp_path)
    assert isinstance(worker.transport_for(settings), Folder)
    worker.run(
        settings,
        compose,
        until=lambda: room.row(key_id).state == room.row(outbox_id).state == "sent",
    )
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 2
    assert room.row(outbox_id).body is not None and room.row(key_id).body is None


def test_a_process_started_with_a_new_key_lifts_the_stop_of_the_old_one(
    room, db_url, tmp_path, provider
):
    room.put(at=now())
    room.drain(failing(Stop("key refused")), now())
    assert room.health(now()).stopped_at
    settings = settings_for(db_url, tmp_path, sendgrid_api_key=KEY, sendgrid_host=provider.url)
    worker.run(settings, compose, until=lambda: True)  # at its start, before it sends anything
    assert room.health(now()).stopped_at is None
