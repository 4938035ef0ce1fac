"""What Prometheus is told: enough to be woken by, and nothing about anybody."""

import re
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from lead_service import clock, create_app
from lead_service.book.hosts.models import CalendarFeed, Host
from lead_service.db.engine import Database
from lead_service.ops.metrics import REQUESTS, DatabaseCollector
from tests.support.app.outbox_helper import OutboxHelper
from tests.support.app.visitor_forms import VISITOR, booking_form
from tests.support.local_server import free_port
from tests.support.processes import Product
from tests.support.waiting import PATIENCE


@pytest.fixture
def metrics_port(environment) -> str:
    environment |= {"METRICS_PORT": str(free_port())}
    return environment["METRICS_PORT"]


def scraped(port: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        return answer.read().decode()


def samples(page: str) -> dict[tuple[str, ...], float]:
    """Return the values of the metrics by name and sorted labels."""
    return {
        (sample.name, *(label for _, label in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


@pytest.mark.long
def test_all_web_processes_are_counted_together_without_personal_data(
    environment, metrics_port, limits_store
):
    more = {"WORKERS": "2", "LIMITS_STORAGE": limits_store.url}
    with Product(environment | more) as product:
        for _ in range(20):
            assert product.get("/contact/").status == 200
        assert product.post("/contact/", {}).status == 422
        assert product.get("/metrics").status == 404
        start = re.search(r"/book/(\d{8}T\d{4}Z)/", product.get("/book/").text)[1]
        booked = product.post("/book/", booking_form(product, start))
        assert product.get(booked.location).status == 200
        page = scraped(metrics_port)
    found = samples(page)
    name = "lead_service_requests_total"
    assert found[name, "GET", "/contact/", "2xx"] == 20
    assert found[name, "POST", "/contact/", "4xx"] == 1
    assert found[name, "GET", "none", "4xx"] == 1
    assert found["lead_service_request_seconds_count", "/contact/"] == 21
    assert found["lead_service_bookings", "confirmed"] == 1
    assert found["lead_service_calls_unproved",] == 1
    assert found["lead_service_leads", "new"] == 1
    assert found["lead_service_database_up",] == 1
    for personal in (*VISITOR.values(), booked.location.split("/")[2], start):
        assert personal not in page


def test_every_route_is_counted_by_its_template(app, settings, database):
    """All labels are known in advance, so visitors can't add any."""
    counted = create_app(settings.model_copy(update={"metrics_port": 1}))
    client = counted.test_client()
    for path in ("/booking/a-token/", "/booking/another/", "/x/1/", "/x/2/"):
        client.get(path, headers={"Host": "127.0.0.1:8000"})
    client.open("/", method="ODD", headers={"Host": "127.0.0.1:8000"})
    counted.extensions["lead_service"].database.close()
    labels = [sample.labels for family in REQUESTS.collect() for sample in family.samples]
    routes = {rule.rule for rule in app.url_map.iter_rules()} | {"none"}
    assert "/booking/<token>/" in {one["route"] for one in labels}
    assert {one["route"] for one in labels} <= routes
    assert "ODD" not in {one["method"] for one in labels}


def test_waiting_and_failed_emails_are_listed_separately(database, at):
    OutboxHelper(database).put(at=clock.now())
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(database))
    found = samples(generate_latest(registry).decode())
    assert found["lead_service_outbox_mails", "pending"] == 1
    assert found["lead_service_outbox_mails", "dead"] == 0
    assert found["lead_service_outbox_waiting",] == 1
    assert found["lead_service_outbox_stopped",] == 0
    assert found["lead_service_calendars_not_read",] == 0


def test_calendars_that_are_not_believed_are_counted(app, database, at):
    def add(session) -> None:
        host = session.scalars(select(Host)).one()
        host.feeds = [CalendarFeed(url="https://x.example/", label="Work", widened="A reason.")]

    database.write(add)
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(database))
    found = samples(generate_latest(registry).decode())
    assert found["lead_service_calendars_not_read",] == 1
    assert found["lead_service_calendars_widened",] == 1


def test_a_database_that_does_not_answer_is_a_metric_and_no_error(tmp_path):
    nowhere = Database(f"sqlite:///{tmp_path / 'none' / 'x.db'}")
    [family] = DatabaseCollector(nowhere).collect()
    assert (family.name, family.samples[0].value) == ("lead_service_database_up", 0)
