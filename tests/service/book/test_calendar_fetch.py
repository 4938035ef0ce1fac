"""Fetching a calendar from a real server: forbidden addresses, time limits and errors."""

import gzip
import socket
from datetime import UTC, datetime, timedelta

import pytest

from lead_service.book.calendars import feed_address
from lead_service.book.calendars import fetch as fetching
from lead_service.book.calendars.fetch import Fetched, Unreadable, fetch
from tests.support.calendar_server import CalendarServer, drip, file, hang, leads_to, without_end


@pytest.fixture
def server(tmp_path, monkeypatch):
    with CalendarServer(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        yield server


@pytest.fixture
def refused(server):
    """Fetch a forbidden path, and return the reason, which never repeats the address."""

    def refused(path: str = "/secret", **more) -> str:
        with pytest.raises(Unreadable) as fault:
            fetch(server.url(path), **{"allow_loopback": True, **more})
        assert "secret" not in str(fault.value)
        return str(fault.value)

    return refused


def test_a_file_is_fetched_with_its_validators(server):
    server.answers["/a"] = file(b"BEGIN", ETag='"1"', Last_Modified="Mon, 23 Nov 2026 08:00:00 GMT")
    found = fetch(server.url("/a"), allow_loopback=True)
    assert found == Fetched(b"BEGIN", '"1"', "Mon, 23 Nov 2026 08:00:00 GMT")
    (_, headers) = server.asked[0]
    assert headers["accept-encoding"] == "gzip"
    assert headers["host"] == server.url().split("/")[2]
    assert not headers.keys() & {"if-none-match", "if-modified-since", "cookie", "authorization"}


def test_an_unchanged_calendar_is_not_sent_again(server):
    server.answers["/a"] = lambda request: request.answer(304)
    marks = {"etag": '"1"', "last_modified": "Mon, 23 Nov 2026 08:00:00 GMT"}
    assert fetch(server.url("/a"), **marks, allow_loopback=True) == Fetched(None)
    assert server.asked[0][1]["if-none-match"] == '"1"'
    assert server.asked[0][1]["if-modified-since"] == marks["last_modified"]


def test_a_304_before_the_first_reading_is_a_fault(server, refused):
    server.answers["/secret"] = lambda request: request.answer(304)
    assert refused() == "the server sent no calendar (304)"


def test_invalid_validators_are_dropped(server):
    server.answers["/a"] = file(b"x", ETag="é" * 10, Last_Modified="x" * 101)
    assert fetch(server.url("/a"), allow_loopback=True) == Fetched(b"x")


@pytest.mark.parametrize("status", [301, 307])
def test_three_redirects_are_followed(server, status):
    for number in range(3):
        server.answers[f"/{number}"] = leads_to(f"/{number + 1}", status)
    server.answers["/3"] = file(b"here")
    assert fetch(server.url("/0"), allow_loopback=True).content == b"here"


def test_a_fourth_redirect_is_refused(server, refused):
    server.answers["/secret"] = leads_to("/secret")
    assert refused() == "it redirects more than 3 times"
    assert len(server.asked) == 4


INWARD = [
    *("http://example.com/secret", "https://10.0.0.1/secret", "https://[::ffff:10.0.0.1]/secret"),
    *("https://169.254.169.254/secret", "file:///secret", "https://0x7f000001/secret"),
    "https://secret:word@example.com/",
]


@pytest.mark.parametrize("url", INWARD)
def test_redirects_to_private_addresses_or_http_are_refused(server, refused, url):
    server.answers["/secret"] = leads_to(url)
    assert refused().startswith("the address that it redirects to must")
    assert len(server.asked) == 1


def test_loopback_is_refused_without_the_setting(server, refused, monkeypatch):
    server.answers["/secret"] = file(b"x")
    assert "must use port 443 or 8443" in refused(allow_loopback=False)
    monkeypatch.setattr(feed_address, "PORTS", {int(server.url().split(":")[2].split("/")[0])})
    assert refused(allow_loopback=False) == "its host name points to a private address"
    assert server.asked == []


def test_a_name_is_refused_when_any_of_its_addresses_is_private(server, refused, monkeypatch):
    """Otherwise, the next look-up of the name could return the private address."""

    def names(*_asked, **_more):
        stream = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*stream, (address, 443)) for address in ("93.184.216.34", "192.168.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", names)
    reached = []
    monkeypatch.setattr(socket, "create_connection", lambda *asked, **_: reached.append(asked))
    assert refused() == "its host name points to a private address"
    assert reached == []


def test_the_connection_goes_to_the_address_that_was_checked(server, monkeypatch):
    """The name is looked up once, and the certificate is verified for the name."""
    server.answers["/a"] = file(b"x")
    looked_up = []
    real = socket.getaddrinfo

    def names(host, *asked, **more):
        looked_up.append(host)
        return real(host, *asked, **more)

    monkeypatch.setattr(socket, "getaddrinfo", names)
    assert fetch(server.url("/a"), allow_loopback=True).content == b"x"
    assert [host for host in looked_up if host == "localhost"] == ["localhost"]


def test_an_untrusted_certificate_is_refused(server, refused, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    assert refused() == "its certificate is not valid"
    assert server.asked == []


def test_a_certificate_of_another_name_is_refused(server, monkeypatch):
    server.answers["/a"] = file(b"x")
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, *asked, **more: real("127.0.0.1", *asked, **more)
    )
    with pytest.raises(Unreadable, match="certificate"):
        fetch(server.url("/a", host="calendar.example"), allow_loopback=True)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda request: request.answer(404), "the server doesn\u2019t have this calendar (404)"),
        (lambda request: request.answer(500), "the server sent no calendar (500)"),
        (lambda request: request.answer(204), "the server sent no calendar (204)"),
        (lambda request: request.answer(302), "it redirects more than 3 times"),
        (file(b"x", Content_Encoding="br"), "it uses a compression that we don\u2019t support"),
        (file(b"", Content_Length="50000001"), "it is larger than 50 MB"),
        (without_end, "it is larger than 50 MB"),
        (
            lambda request: file(gzip.compress(bytes(50_000_001)))(request),
            "it is larger than 50 MB",
        ),
        (file(gzip.compress(b"BEGIN:VCALENDAR")[:-4]), "the download was cut off"),
        (file(gzip.compress(b"BEGIN:") + gzip.compress(b"VCALENDAR")), "the download was cut off"),
        (
            lambda request: request.wfile.write(b"hello\r\n"),
            "it could not be reached (ConnectionResetError)",
        ),
        (lambda request: request.wfile.close(), "it could not be reached (ConnectionResetError)"),
    ],
)
def test_an_error_response_is_reported(server, refused, answer, why):
    def close_after(request) -> None:
        request.close_connection = True
        answer(request)

    server.answers["/secret"] = close_after
    assert refused() == why


@pytest.mark.parametrize("headers", [{"Content_Encoding": "gzip"}, {}])
def test_a_gzip_file_is_decompressed_even_if_undeclared(server, headers):
    content = b"BEGIN:VCALENDAR\r\n" * 10_000
    server.answers["/a"] = file(gzip.compress(content), **headers)
    assert fetch(server.url("/a"), allow_loopback=True).content == content


@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("Mon, 23 Nov 2026 08:10:00 GMT", timedelta(minutes=10)),
        ("9999999999", fetching.LONGEST_WAIT),
        ("Mon, 23 Nov 2026 07:00:00 GMT", None),
        ("later", None),
    ],
)
def test_retry_after_is_respected(server, at, asked, wait):
    at(datetime(2026, 11, 23, 8, tzinfo=UTC))
    server.answers["/a"] = lambda request: request.answer(429, Retry_After=asked)
    with pytest.raises(Unreadable) as fault:
        fetch(server.url("/a"), allow_loopback=True)
    assert fault.value.wait == wait


def test_a_truncated_file_is_refused(server, refused):
    def cut(request) -> None:
        request.close_connection = True
        request.answer(200, b"BEGIN:VCALENDAR", Content_Length="100")

    server.answers["/secret"] = cut
    assert refused() in {"the download was cut off", "it could not be reached (IncompleteRead)"}


@pytest.mark.parametrize("slow", [hang, drip])
def test_a_fetch_has_a_total_deadline(server, refused, slow, monkeypatch):
    monkeypatch.setattr(fetching, "SECONDS", 0.5)
    server.answers["/secret"] = slow
    assert refused() == "it did not answer in time"


def test_an_unknown_name_and_a_closed_port_are_reported(refused, monkeypatch):
    def unknown(*_asked, **_more):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert refused() == "its host name is not known"
