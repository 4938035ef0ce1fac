"""Erasing an address at the email provider, too, with an alarm when that fails."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from lead_service.accounts.audit_log import Actor
from lead_service.emails import provider_erasure
from lead_service.emails import status as emails_status
from lead_service.emails.models import ErasureJob, OutboxMessage
from lead_service.emails.provider_erasure import FIRST_ERASURE_WAIT
from lead_service.emails.transports.sendgrid import SendGrid
from lead_service.ops import checks
from lead_service.privacy import erasure
from lead_service.settings import load
from tests.service.conftest import MONDAY_MORNING
from tests.support.app.outbox_helper import OutboxHelper
from tests.support.app.stored_data import mentions
from tests.support.app.visitor_forms import VISITOR, assess
from tests.support.fake_sendgrid import KEY, REFUSAL, accept, hang, reset, status

ADA, EVE = VISITOR["email"], "eve@example.com"
DUE = MONDAY_MORNING + FIRST_ERASURE_WAIT
DAY = timedelta(days=1)


@pytest.fixture
def settings(environment, provider):
    """The settings of a product with an email provider."""
    return load(environment | {"SENDGRID_API_KEY": KEY, "SENDGRID_HOST": provider.url})


def send(database, *, to: str = ADA) -> None:
    """Queue an email and mark it as sent to the provider."""
    sent = OutboxMessage.id == OutboxHelper(database).put(address=to, at=MONDAY_MORNING)
    marked = update(OutboxMessage).where(sent).values(state="sent", attempts=1)
    database.write(lambda session: session.execute(marked))


def erase(database, settings, address: str = ADA, at=MONDAY_MORNING) -> None:
    database.write(lambda session: erasure.erase(session, settings, address, Actor(at)))


def work_off(database, settings, now=DUE, seconds: float = 20) -> int:
    return provider_erasure.work_off(database, SendGrid(settings, seconds), now)


def jobs(database) -> list[ErasureJob]:
    with database.read() as session:
        return provider_erasure.pending(session)


def test_an_erased_address_is_kept_until_the_provider_accepts_its_erasure(
    database, settings, provider
):
    send(database)
    erase(database, settings)
    assert work_off(database, settings, MONDAY_MORNING) == 0  # an email may be being sent
    assert [job.address for job in jobs(database)] == [ADA]
    assert work_off(database, settings) == 1
    assert provider.faults == [] and provider.erased == [ADA]
    assert [one.path for one in provider.received] == ["/v3/recipients/erasejob"]
    assert mentions(database, ADA) == []
    assert work_off(database, settings, DUE + DAY) == 0


def test_the_erasure_job_commits_with_the_erasure(database, settings):
    send(database)

    def work(session) -> None:
        erasure.erase(session, settings, ADA, Actor(MONDAY_MORNING))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.write(work)
    assert jobs(database) == []


def test_addresses_that_got_no_email_are_not_disclosed_to_the_provider(database, settings):
    OutboxHelper(database).put(address=ADA, at=MONDAY_MORNING, held=True)
    send(database, to=EVE)
    erase(database, settings)
    assert jobs(database) == []


@pytest.mark.parametrize("other", [{"SENDGRID_API_KEY": ""}, {"SENDGRID_SANDBOX": "true"}])
def test_without_a_provider_there_are_no_erasure_jobs(database, settings, environment, other):
    send(database)
    erase(database, load(environment | {"SENDGRID_API_KEY": KEY} | other))
    assert jobs(database) == []


def test_an_international_address_is_erased_in_the_form_that_was_sent(database, settings, provider):
    send(database, to="Ada@B\u00fccher.example")
    erase(database, settings, "ada@b\u00fccher.example")
    work_off(database, settings)
    assert provider.faults == [] and provider.erased == ["Ada@xn--bcher-kva.example"]


@pytest.mark.parametrize("mode", [status(500), status(429), status(200), reset, hang])
def test_failed_erasures_are_retried_without_an_alarm(database, settings, provider, mode):
    provider.mode = mode
    send(database)
    erase(database, settings)
    assert work_off(database, settings, seconds=0.2 if mode is hang else 20) == 1
    assert [(job.attempts, job.alarm_at) for job in jobs(database)] == [(1, None)]
    assert work_off(database, settings) == 0  # it waits
    provider.mode = accept
    assert work_off(database, settings, DUE + timedelta(hours=2)) == 1
    assert jobs(database) == []


def test_after_three_days_without_an_answer_an_alarm_is_raised(database, settings, provider):
    provider.mode = status(503)
    send(database)
    erase(database, settings)
    work_off(database, settings, MONDAY_MORNING + 3 * DAY - FIRST_ERASURE_WAIT)
    assert jobs(database)[0].alarm_at is None
    work_off(database, settings, MONDAY_MORNING + 3 * DAY + timedelta(hours=2))
    assert jobs(database)[0].alarm_at is not None


@pytest.mark.parametrize("code", [401, 403, 400])
def test_a_refused_erasure_raises_an_alarm_and_is_retried_without_stopping_emails(
    client, database, settings, provider, code
):
    provider.mode = status(code, body=REFUSAL)
    send(database)
    erase(database, settings)
    work_off(database, settings)
    with database.read() as session:
        health = emails_status.health(session, DUE)
    assert health.troubles == ("Addresses that SendGrid has not erased: 1 (see Team, Privacy).",)
    assert not health.is_paused
    (job,) = jobs(database)
    assert str(code) in job.reason and ADA not in job.reason
    assert ("recipients.erasejob.create" in job.reason) == (code != 400)
    provider.mode = accept
    assert work_off(database, settings, DUE + timedelta(hours=1)) == 0
    assert work_off(database, settings, DUE + timedelta(hours=2)) == 1
    with database.read() as session:
        assert emails_status.health(session, DUE).troubles == ()


def test_a_key_without_the_right_is_found_by_check(database, settings, provider, at, monkeypatch):
    at(datetime.now(UTC))  # the provider's clock is compared
    monkeypatch.setattr(checks, "_in_the_database", lambda *_: [])
    assert checks.faults(settings) == []
    provider.scopes = ["mail.send"]
    may_not = "SENDGRID_API_KEY: lacks the right to erase an address (recipients.erasejob.create)"
    assert checks.faults(settings) == [may_not]


@pytest.mark.both_engines
def test_two_workers_do_not_ask_for_the_same(database, settings, provider):
    send(database)
    erase(database, settings)

    def at_the_same_time(handler) -> None:
        assert work_off(database, settings, DUE) == 0
        accept(handler)

    provider.mode = at_the_same_time
    assert work_off(database, settings) == 1
    assert provider.erased == [ADA]


def test_an_address_erased_again_during_a_request_is_requested_again(database, settings, provider):
    send(database)
    erase(database, settings)

    def meanwhile(handler) -> None:
        send(database)
        erase(database, settings, at=DUE)
        accept(handler)

    provider.mode = meanwhile
    assert work_off(database, settings) == 1
    provider.mode = accept
    assert work_off(database, settings, DUE + FIRST_ERASURE_WAIT) == 1
    assert jobs(database) == []


def test_disowning_asks_the_provider_to_erase(client, framework, database, settings, mails, at):
    result = assess(client, framework)
    client.post(result + "mail", data={"email": ADA})
    text = next(one for _, one in mails() if one.kind == "result").text
    database.write(lambda session: session.execute(update(OutboxMessage).values(attempts=1)))
    path = "/assessment/not-me/" + text.partition("/assessment/not-me/")[2].split()[0]
    assert client.post(path).status_code == 303
    assert [job.address for job in jobs(database)] == [ADA]
    assert mentions(database, ADA) == ["erasure_job.address"]
