"""Kill processes under load: no stored lead is lost, and each kill repeats at most one email."""

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta

from lead_service import clock
from lead_service.db.engine import Database
from lead_service.desk.mail.composers import composer
from lead_service.emails import worker
from lead_service.emails.transports.sendgrid import SendGrid
from lead_service.publishing.site import load_site
from lead_service.settings import Settings, load
from tests.support.fake_sendgrid import KEY, Handler, StandIn, accept
from tests.support.processes import Product, children

from .load import Crowd, books

LEASE = timedelta(minutes=2)  # until a killed process's lease has ended


def run(environment: dict[str, str], rounds: int) -> dict[str, int]:
    """Kill the deliver process, a web worker, and then everything, `rounds` times."""
    chance, crowd, kills = random.Random(rounds), Crowd(), 0
    with StandIn(_accept_slowly) as provider:
        told = {"SENDGRID_API_KEY": KEY, "SENDGRID_HOST": provider.url}
        for _ in range(rounds):
            with Product(environment | told) as product:
                crowd.come(product)
                for kill in (_deliver, _worker, Product.kill):
                    time.sleep(0.3 + chance.random())
                    kill(product)
                    kills += 1
                crowd.leave()
        _send_the_rest(environment, provider)
        held, times = books(environment["DATABASE_URL"]), Counter(provider.outbox_ids)
    held.check(crowd.acknowledged)
    assert set(held.states.values()) == {"sent"}
    assert set(times) == set(held.states), "a mail is lost"
    assert times.total() - len(times) <= kills, "a kill repeated more than one mail"
    assert crowd.answered.keys() <= {303, 0}, crowd.answered
    return {
        "kills": kills,
        "leads acknowledged": len(crowd.acknowledged),
        "leads stored": len(held.events),
        "connections broken": crowd.answered[0],
        "mails": len(times),
        "mails repeated": times.total() - len(times),
    }


def _accept_slowly(handler: Handler) -> None:
    """Accept with a late response, so that some kills happen in between."""
    accept(handler)
    time.sleep(0.01)


def _deliver(product: Product) -> None:
    if pid := product.deliver_pid():
        os.kill(pid, signal.SIGKILL)


def _worker(product: Product) -> None:
    """Kill one web worker; the server starts another."""
    workers = [pid for pid in children(product.process.pid) if pid != product.deliver_pid()]
    with suppress(ProcessLookupError):
        os.kill(max(workers), signal.SIGKILL)


def _send_the_rest(environment: dict[str, str], provider: StandIn) -> None:
    database = Database(environment["DATABASE_URL"])
    sender = SendGrid(Settings(sendgrid_api_key=KEY, sendgrid_host=provider.url))
    settings = load(environment)
    compose = composer(settings, load_site(settings))
    while worker.deliver_one(database, sender, compose, clock.now() + LEASE):
        pass
    database.close()
