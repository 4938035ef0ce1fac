"""Count requests by route for Prometheus, and emails, leads and calls in the database.

Routes are templates without tokens. `metrics_server` serves the numbers.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import timedelta

from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from .. import clock
from ..book import bookings, held
from ..book.availability import busy_times, queries
from ..book.models import Booking, Status
from ..db.base import Kind
from ..db.engine import Database
from ..emails import status
from ..emails.models import EmailState, OutboxMessage
from ..leads.models import Lead, Stage
from ..logs import method_of

REQUESTS = Counter(
    "lead_service_requests",
    "Requests answered by the service, by the class of their status.",
    ["route", "method", "status"],
)
SECONDS = Histogram(
    "lead_service_request_seconds",
    "How long the service took to answer.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def install(app: Flask) -> None:
    """Count every request that reaches the application, so no static files."""
    app.before_request(_start)
    app.after_request(_count)


def _start() -> None:
    g.counted_from = time.perf_counter()


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "none"
    REQUESTS.labels(route, method_of(request), f"{response.status_code // 100}xx").inc()
    if "counted_from" in g:
        SECONDS.labels(route).observe(time.perf_counter() - g.counted_from)
    return response


class DatabaseCollector(Collector):
    """Count rows for each scrape; a database that doesn't answer is a metric too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            with self._database.read() as session:
                found = list(_found(session))
        except Exception:  # any error of the driver means that the database is down
            found = []
        yield _value("database_up", "Whether the database answers.", bool(found))
        yield from found


def _found(session: Session) -> Iterator[GaugeMetricFamily]:
    yield _by("outbox_mails", "Emails by state.", session, OutboxMessage.state, EmailState)
    health = status.health(session, clock.now())
    oldest = health.oldest or timedelta()
    yield _value("outbox_waiting", "Emails that are due and not sent yet.", health.waiting)
    yield _value(
        "outbox_oldest_seconds", "How long the oldest of them has waited.", oldest.total_seconds()
    )
    yield _value(
        "outbox_stopped", "Whether the provider refused our key or sender.", bool(health.stopped_at)
    )
    yield _by("leads", "Leads by stage.", session, Lead.stage, Stage)
    yield _by("bookings", "Calls by status.", session, Booking.status, Status)
    suspected = select(func.count(Booking.id)).where(bookings.held(clock.now()))
    yield _value("calls_held", "Upcoming calls that may be spam.", session.scalar(suspected) or 0)
    unproved = held.unproved(session, clock.now())
    yield _value(
        "calls_unproved",
        "Upcoming calls, booked within two days, that were not confirmed.",
        len(unproved),
    )
    yield _value("floods", "Hours with a burst of possible spam in the last day.", health.floods)
    yield _value(
        "emails_too_many", "Emails held because one address got too many.", health.too_many
    )
    feeds = [feed for host in queries.active_hosts(session) for feed in host.feeds]
    unread = sum(not busy_times.is_current(feed, clock.now()) for feed in feeds)
    yield _value("calendars_not_read", "Calendars to read before their hosts offer times.", unread)
    yield _value(
        "calendars_widened",
        "Calendars that block more time than they say.",
        sum(bool(feed.widened) for feed in feeds),
    )


def _value(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"lead_service_{name}", help_text, value=value)


def _by(
    name: str,
    help_text: str,
    session: Session,
    column: InstrumentedAttribute[Kind],
    known: Iterable[Kind],
) -> GaugeMetricFamily:
    """Count rows by a column; values without rows count 0, so that alarms can compare."""
    rows = session.execute(select(column, func.count()).group_by(column))
    counted = {value: count for value, count in rows}
    family = GaugeMetricFamily(f"lead_service_{name}", help_text, labels=[column.key])
    for value in known:
        family.add_metric([str(value)], counted.get(value, 0))
    return family
