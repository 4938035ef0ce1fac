"""The deployed product behind nginx; with --all, two processes of each kind and a browser."""

import itertools
import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from playwright.sync_api import Error, expect

from tests.browser.test_journey import cancel, read_assess_and_book
from tests.deploy.cluster import POSTS
from tests.support.app.visitor_forms import booking_form
from tests.support.browser.visitor import OWN_ZONE, Visitor
from tests.support.waiting import eventually

MANY = 20  # connections of one client: with all clients, more than the service has threads
UNFINISHED = (
    b"POST /contact/ HTTP/1.1\r\nHost: advisory.test\r\nSec-Fetch-Site: same-origin\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\nname="
)
MOST_AT_ONCE, GREEDY = 200, "127.0.0.40"  # per client: see limit_conn in deploy/nginx
NUMBERS = itertools.count(1)
SLOW = ("127.0.0.21", "127.0.0.22", "127.0.0.23")


@pytest.fixture
def visitor(browser, cluster) -> Iterator[Visitor]:
    context = browser.new_context(
        base_url=cluster.address, timezone_id=OWN_ZONE, ignore_https_errors=True
    )
    email = f"ada.{next(NUMBERS)}@example.com"
    yield Visitor(context.new_page(), OWN_ZONE, email)
    context.close()


def mails_to(provider, address: str) -> list[dict]:
    """Return what the provider got for an address, oldest first."""
    bodies = [one.body for one in provider.received]
    return [one for one in bodies if one["personalizations"][0]["to"][0]["email"] == address]


@pytest.mark.long
@pytest.mark.parametrize("book", [Visitor.book, read_assess_and_book])
def test_a_prospect_books_and_cancels(visitor, provider, cluster, book):
    faults = []
    visitor.page.on("console", lambda said: faults.append(said.text) if said.type == "error" else 0)
    book(visitor)
    assert eventually(lambda: mails_to(provider, visitor.email))
    [mail] = mails_to(provider, visitor.email)
    text = mail["content"][0]["value"]
    cancel(visitor, re.search(rf"{re.escape(cluster.address)}/booking/\S+", text)[0])
    assert eventually(lambda: len(mails_to(provider, visitor.email)) == 2)
    assert len(set(provider.outbox_ids)) == len(provider.outbox_ids)
    assert faults == []


@pytest.mark.long
@pytest.mark.parametrize("path", ["/book/", "/about/", "/desk/sign-in/"])
def test_trusted_types_block_text_as_html(visitor, path):
    visitor.page.goto(path)
    with pytest.raises(Error, match="TrustedHTML"):
        visitor.page.evaluate("document.body.innerHTML = '<b>text</b>'")


@pytest.mark.long
def test_a_client_s_limit_holds_across_all_processes_and_for_that_client_only(client, cluster):
    def asked_both() -> bool:  # nginx avoids a slow process for some seconds
        client.get("/contact/")
        logs = [cluster.log(f"web{number}").read_text() for number in (0, 1)]
        return all('"route": "/contact/"' in log for log in logs)

    assert eventually(asked_both)
    answers = [
        client.post("/contact/", {"name": "x"}, as_client="127.0.0.31") for _ in range(POSTS + 2)
    ]
    assert [one.status for one in answers] == [422] * POSTS + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 0
    assert client.post("/contact/", {"name": "x"}, as_client="127.0.0.33").status == 422
    forged = {"X_Forwarded_For": "198.51.100.7", "Sec_Fetch_Site": "same-origin"}
    answer = client.ask("POST", "/contact/", "name=x", forged, as_client="127.0.0.31")
    assert answer.status in {400, 429}
    assert client.post("/contact/", {"name": "x"}, as_client="127.0.0.31").status == 429


@contextmanager
def slow_clients(client, beginning: bytes) -> Iterator[list]:
    """Keep connections open that have sent only the beginning of a request."""
    with ExitStack() as stack:
        connections = []
        for address in SLOW:
            for _ in range(MANY):
                connection = stack.enter_context(client.connect(as_client=address))
                connection.sendall(beginning)
                connections.append(connection)
        yield connections
    assert eventually(lambda: client.get("/about/").status == 200)  # nginx has closed them


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(
            b"GET /book/ HTTP/1.1\r\nHost: advisory.test\r\nX-Slow: ",
            id="headers",
            marks=pytest.mark.long,
        ),
        pytest.param(UNFINISHED, id="bodies"),
    ],
)
def test_slow_clients_do_not_block_others(client, beginning):
    with slow_clients(client, beginning) as connections:
        for number in range(8):
            with suppress(OSError):  # nginx's configured time-out for slow clients
                connections[number].sendall(b"a")
            assert client.get("/about/").status == 200
            assert client.get("/book/").status == 200
        assert client.post("/contact/", {"name": "x"}, as_client="127.0.0.34").status == 422


@pytest.mark.long
def test_a_killed_web_process_causes_no_failed_request(client, cluster):
    cluster.kill_web(0)
    try:
        assert {client.get("/book/").status for _ in range(12)} == {200}
        posted = [client.post("/contact/", {}, as_client="127.0.0.35").status for _ in range(6)]
        assert set(posted) == {422}
    finally:
        cluster.start_web(0)
        cluster.wait_until_ready()


@pytest.mark.long
def test_the_outage_page_loads_only_files_of_the_site(visitor, cluster):
    """The service is down, so the page may load only the site's files."""
    for number in (0, 1):
        cluster.kill_web(number)
    try:
        failed = []
        visitor.page.on("requestfailed", lambda request: failed.append(request.url))
        visitor.page.goto("/book/")
        visitor.sees("available right now")
        expect(visitor.main.get_by_role("link", name="Try again")).to_be_visible()
    finally:
        for number in (0, 1):
            cluster.start_web(number)
        cluster.wait_until_ready()
    visitor.main.get_by_role("link", name="Try again").click()
    visitor.sees("Choose a time")
    assert failed == []


def test_refusals_by_the_proxy_are_not_cached(client):
    too_long = client.ask("POST", "/contact/", "", {"Content-Length": "2000000"})
    assert (too_long.status, too_long.headers["cache-control"]) == (413, "no-store")
    with ExitStack() as stack:
        refused = None

        def is_refused() -> bool:
            nonlocal refused
            stack.enter_context(client.connect(as_client=GREEDY)).sendall(UNFINISHED)
            refused = client.get("/about/", as_client=GREEDY)
            return refused.status == 429

        for _ in range(MOST_AT_ONCE - 1):
            stack.enter_context(client.connect(as_client=GREEDY)).sendall(UNFINISHED)
        # On a slow machine, nginx has closed the first ones by now.
        assert eventually(is_refused)
        assert refused.headers["cache-control"] == "no-store"
        assert refused.headers["retry-after"] == "30"
        assert "content-security-policy" in refused.headers
    assert eventually(lambda: client.get("/about/").status == 200)
    assert client.get("/about/").headers["cache-control"] == "max-age=300, public"


def test_bodies_larger_than_any_form_are_refused(client):
    assert client.post("/contact/", {"topic": "x" * 2_000_000}).status in {0, 413}
    # The service refuses this one; a process may be missing after another test has killed it.
    form = {"topic": "x" * 100_000}
    assert eventually(lambda: client.post("/contact/", form).status == 413)


def test_logs_have_no_client_address_and_no_token(client, cluster, provider):
    page = client.get("/book/").text
    start = re.search(r"/book/(\d{8}T\d{4}Z)/", page)[1]
    form = booking_form(client, start, email="log@example.com")
    booked = client.post("/book/", form, as_client="127.0.0.41")
    assert booked.status == 303
    assert client.get(booked.headers["location"]).status == 200
    token = booked.headers["location"].split("/")[2]
    assert eventually(lambda: mails_to(provider, "log@example.com"))

    def last() -> dict:
        return json.loads((cluster.folder / "logs/advisory.log").read_text().splitlines()[-1])

    def is_logged_by_both() -> bool:
        its_id = f'"request_id": "{last()["request_id"]}"'
        webs = [cluster.log(f"web{number}") for number in range(len(cluster.web_ports))]
        by_the_service = any(its_id in log.read_text() for log in webs)
        return (last()["place"], last()["status"], by_the_service) == ("/booking", 200, True)

    assert eventually(is_logged_by_both)
    for path in [*(cluster.folder / "logs").glob("*.log"), *cluster.folder.glob("*.log")]:
        for secret in ("127.0.0.", token, "log@example.com"):
            assert secret not in path.read_text(), path.name


def test_a_malformed_request_gets_a_response_and_the_connection_is_closed(client):
    with client.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: \x00\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
        connection.shutdown(socket.SHUT_RDWR)
