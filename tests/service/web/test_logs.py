"""Logs: enough to find a fault, one line per event, without personal data."""

import json
import logging
import re
import sys

import pytest
from sqlalchemy.exc import OperationalError

from lead_service import create_app, logs
from lead_service.emails import worker
from tests.support.app.visitor_forms import VISITOR, booking_form
from tests.support.fake_sendgrid import KEY, StandIn
from tests.support.processes import Product
from tests.support.waiting import eventually

PERSONAL = "ada@example.com"
NOT_TO_BE_READ = "a-link-to-the-desk-that-nobody-may-read"


@pytest.fixture
def app(settings, database):
    """An application for one test, which may add routes to it."""
    app = create_app(settings)
    yield app
    app.extensions["lead_service"].database.close()


def line(message: str, **more) -> str:
    """Return a record as a line of the log."""
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, message, None, more.pop("exc", None))
    vars(record).update(more)
    configured = logs.config("DEBUG")["formatters"]["json"]
    return logs.Line(configured["fmt"]).format(record)


@pytest.mark.long
def test_no_journey_leaves_a_trace_of_the_visitor_even_at_debug(environment, tmp_path):
    stderr = tmp_path / "stderr"
    with StandIn() as provider:
        loud = {"LOG_LEVEL": "DEBUG", "SENDGRID_API_KEY": KEY, "SENDGRID_HOST": provider.url}
        with Product(environment | loud | {"LIMIT_POSTS": "4 per hour"}, log=stderr) as product:
            start = re.search(r"/book/(\d{8}T\d{4}Z)/", product.get("/book/").text)[1]
            form = booking_form(product, start)
            booked = product.post("/book/", form)
            assert booked.status == 303
            product.get(f"{booked.location}?secret=Ada%0aExample")
            page = product.get("/assessment/").text
            given = dict(re.findall(r'type="radio"[^>]* name="([^"]+)" value="([^"]+)"', page))
            begun = product.post("/assessment/", given)
            assert begun.status == 303
            product.get(begun.location)
            assert product.get(f"/desk/sign-in/{NOT_TO_BE_READ}/").status == 404
            statuses = [product.post("/contact/", VISITOR).status for _ in range(3)]
            assert statuses[-1] == 429
            assert eventually(lambda: len(provider.received) == 2)
    logged = stderr.read_text()
    assert '"route": "/book/"' in logged
    assert "accepted" in logged
    tokens = [one.location.split("/")[2] for one in (booked, begun)]
    secret = (*tokens, form["submission"], KEY, NOT_TO_BE_READ, "secret=", *given.values())
    for personal in (*VISITOR.values(), *secret, "127.0.0.1"):
        assert personal not in logged
    for written in logged.splitlines():
        assert isinstance(json.loads(written), dict), written


@pytest.mark.parametrize(
    "text", ["a\nb", "a\r\nb", "\x1b[2J", "\u2028", "\x85", "\x00", "毛\u202e"]
)
def test_log_lines_cannot_contain_line_breaks_or_terminal_codes(text):
    written = line(text, route=text)
    assert written.isascii()
    assert written.isprintable()
    assert json.loads(written)["message"] == text


def test_an_error_is_logged_by_its_place_without_its_text():
    try:
        raise ValueError("ada@example.com is no address")
    except ValueError:
        written = line("trouble", exc=sys.exc_info())
    assert "ada@example.com" not in written
    assert re.search(r"ValueError > test_logs\.py:\d+ test_an_error", written)


def test_every_line_of_a_request_bears_the_id_that_the_answer_bears(client, app, caplog):
    @app.get("/noted/")
    def noted() -> str:
        logging.getLogger("part").warning("noticed")
        return "ok"

    caplog.handler.addFilter(logs.OfRequest())
    answer = client.get("/noted/")
    ids = {record.request_id for record in caplog.records if record.name != "werkzeug"}
    assert ids == {answer.headers["X-Request-Id"]}


@pytest.mark.parametrize(
    "error", [ValueError(PERSONAL), OperationalError("x", {}, Exception(PERSONAL))]
)
def test_the_text_of_an_error_is_never_logged(client, app, caplog, error):
    @app.get("/broken/")
    def broken() -> str:
        raise error

    assert client.get("/broken/").status_code in {500, 503}
    written = "".join(str(vars(record)) for record in caplog.records if record.name != "werkzeug")
    assert type(error).__name__ in written
    assert PERSONAL not in written
    assert PERSONAL not in worker._where(error)
