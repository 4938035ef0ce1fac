"""Every route with unusual requests: our own response, never a 5xx."""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import request
from sqlalchemy import update

import lead_service
from lead_service.book.hosts.models import Host
from lead_service.db import schema
from tests.faults.naughty import CONTROLS, EMPTY, KEPT, LINES
from tests.support.app.seeded_app import SeededApp
from tests.support.app.stored_data import everything
from tests.support.app.visitor_forms import VISITOR
from tests.support.engines import only_sqlite

ODD_PARTS = (
    "%00",
    "%0d%0aSet-Cookie:%20a=b",
    "%ff%fe",
    "%ed%a0%80",
    "%F0%9F%92%A9",
    "%e2%80%ae",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e",
    "%5c..%5c",
    "'%20OR%20'1'='1",
    "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "{{7*7}}",
    "-1",
    "1e9",
    "2147483648",
    "9223372036854775808",
    "9" * 400,
    "%D9%A3",  # a non-ASCII digit
    "00010101T0000Z",
    "99991231T2359Z",
    "20260230T0900Z",
    "a" * 2000,
)
ODD_HEADERS = (
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil"},
    {"X-Original-URL": "/desk/", "X-Rewrite-URL": "/desk/", "X-HTTP-Method-Override": "DELETE"},
    {"Range": "bytes=0-0,-1,5-", "If-Range": "x", "If-Match": "x", "If-None-Match": "*"},
    {"If-Modified-Since": "yesterday", "If-Unmodified-Since": "\x7f"},
    {"Accept": "application/json;q=x", "Accept-Language": "*/..", "Accept-Encoding": "br;q=9"},
    {"Cookie": "desk=.eJw; desk=%00; =; ;;; a", "Authorization": "Bearer None"},
    {"X-Forwarded-For": "' OR 1=1--", "User-Agent": "() { :;}; x", "Referer": "x" * 6000},
    {"Content-Type": "text/html; charset=utf-7", "Content-Length": "abc"},
    {"X-Request-Id": "mine", "Traceparent": "00-x"},
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "X-Y")
ASKED = re.compile(r"\b(?:args|values|form)\.get(?:list)?\(\s*\"(\w+)\"")
DATES = ("0001-01-01", "9999-12-31", "2026-02-30", "2026-W01-1", "0001-01", "9999-12", "2026-13")
TEXTS = (*KEPT[::11], CONTROLS[0], CONTROLS[-1], EMPTY[-1], LINES[1], "x" * 4000, "9" * 400, "-1")
TEXTS += DATES


@pytest.fixture
def some(pytestconfig):
    """Take some items of a list in turns, so that all are used over all routes; all with --all."""
    turns = itertools.count()

    def some(given: Sequence, most: int) -> Sequence:
        if pytestconfig.option.all:
            return given
        return [given[next(turns) % len(given)] for _ in range(min(most, len(given)))]

    return some


@pytest.fixture
def seeded_app(app, client, filled, settings, at, monkeypatch) -> SeededApp:
    monkeypatch.setattr(schema, "fault", lambda _database: None)  # its tables have no version
    seeded_app = SeededApp(app, client, filled, settings)
    seeded_app.fill()
    return seeded_app


def sound(answer, asked: str) -> None:
    """Check the rules of every response."""
    assert answer.status_code < 500, asked
    for message in ("This field is required", "Not a valid choice", "Not a valid date"):
        assert message not in answer.text, asked  # WTForms' own, which do not name the field
    headers = answer.headers
    policy = headers["Content-Security-Policy"]
    # An email is styled inline. It is shown in a frame in which nothing can act.
    assert "unsafe-inline" not in policy or policy.endswith("frame-ancestors 'self'; sandbox"), (
        asked
    )
    assert headers["X-Content-Type-Options"] == "nosniff", asked
    assert headers["Referrer-Policy"] == "same-origin", asked
    is_first_page = "/assessment/" in asked.split() and answer.status_code == 200
    may_be_kept = is_first_page and "Allow" not in headers  # the back button opens the form again
    kept = "private, max-age=0" if may_be_kept else "no-store"
    assert headers["Cache-Control"] == kept, asked
    assert len(headers["X-Request-Id"]) == 16, asked
    assert "a" not in {cookie.partition("=")[0] for cookie in headers.getlist("Set-Cookie")}, asked
    location = headers.get("Location", "/")
    assert location.startswith("/") and not location.startswith(("//", "/\\")), asked
    assert "<script>alert" not in answer.text and "onerror=alert(1)>" not in answer.text, asked


def names_asked_for() -> list[str]:
    """List every parameter that the program reads."""
    sources = Path(lead_service.__path__[0]).rglob("*.py")
    return sorted({name for one in sources for name in ASKED.findall(one.read_text("utf-8"))})


def test_no_part_of_an_address_breaks_a_page(seeded_app, some):
    for rule in list(seeded_app.app.url_map.iter_rules()):
        for name in rule.arguments:
            for odd in some(ODD_PARTS, 1):
                asked = seeded_app.address(rule, **{name: odd})
                for method in rule.methods & {"GET", "POST"}:
                    sound(seeded_app.client.open(asked, method=method), f"{method} {asked}")


def test_no_parameter_breaks_a_page(seeded_app, pytestconfig):
    names = names_asked_for()
    assert {"zone", "month", "assessment", "before", "view", "q"} <= set(names)
    for turn in range(len(TEXTS) if pytestconfig.option.all else 1):
        given = {name: TEXTS[(place * 5 + turn) % len(TEXTS)] for place, name in enumerate(names)}
        for address, _ in seeded_app.routes("GET"):
            if not address.endswith(".pdf"):
                sound(
                    seeded_app.client.get(f"{address}?{urlencode(given)}"), f"{address} {given!a}"
                )


@only_sqlite
def test_numbers_without_an_end_break_no_page(seeded_app):
    """Python refuses to parse more than 4,300 digits."""
    digits = "9" * 5000
    for path in (
        f"/desk/leads/{digits}/",
        f"/desk/?owner={digits}",
        f"/desk/leads.csv?owner={digits}",
    ):
        sound(seeded_app.client.get(path), path[:20])
    for name in names_asked_for():
        with seeded_app.app.test_request_context(f"/desk/?{name}={digits}"):
            assert request.args.get(name) is request.values.get(name) is None


@only_sqlite
def test_a_look_at_any_page_changes_nothing(seeded_app, pytestconfig):
    seeded_app.client.get("/desk/")  # records the last use of the session
    before = everything(seeded_app.database)
    for address, _ in seeded_app.routes("GET"):
        if address.endswith((".csv", ".json")):  # an export is in the audit log
            continue
        seeded_app.client.get(address)
        if pytestconfig.option.all:  # to name the address
            assert everything(seeded_app.database) == before, address
    assert everything(seeded_app.database) == before


@only_sqlite
def test_every_visitor_page_works_while_no_host_takes_calls(seeded_app):
    seeded_app.database.write(lambda session: session.execute(update(Host).values(is_active=False)))
    about_times = 0
    for method in ("GET", "POST"):
        for address, rule in seeded_app.routes(method):
            if address.startswith(("/desk/", "/hooks/", "/assessment/")):
                continue
            sent = VISITOR | {"start": seeded_app.known["start"], "submission": "form"}
            answer = seeded_app.client.open(address, method=method, data=sent)
            sound(answer, f"{method} {address}")
            if rule.endpoint.startswith("move.") or address.startswith("/book/"):
                about_times += 1
                assert answer.status_code in (200, 404, 409, 422), address
                assert 'href="/contact/' in answer.text, address
                assert " minutes" not in answer.text.partition("<main")[2], address
    assert about_times == 7


@only_sqlite
def test_an_address_can_be_long_and_its_parameters_many(seeded_app, some):
    queries = ("&".join(f"zone={n}" for n in range(500)), "q=" + "%F0%9F%92%A9" * 500)
    for address, _ in seeded_app.routes("GET"):
        if not address.endswith(".pdf"):
            for query in some(queries, 1):
                sound(seeded_app.client.get(f"{address}?{query}"), address)


@only_sqlite
def test_another_method_is_refused_and_does_nothing(seeded_app, some):
    for rule in list(seeded_app.app.url_map.iter_rules()):
        asked = seeded_app.address(rule)
        others = [name for name in METHODS if name not in rule.methods - {"OPTIONS"}]
        for method in some(others, 1):
            answer = seeded_app.client.open(asked, method=method)
            sound(answer, f"{method} {asked}")
            if method == "HEAD":
                assert answer.data == b""


@only_sqlite
def test_no_header_changes_the_page_or_breaks_it(seeded_app, some):
    seeded_app.client.delete_cookie("desk", domain="127.0.0.1")
    for address, _ in seeded_app.routes("GET"):
        if address.endswith(".pdf"):
            continue
        plain = seeded_app.client.get(address)
        for headers in some(ODD_HEADERS, 1):
            odd = seeded_app.client.get(address, headers=headers)
            sound(odd, address)
            assert odd.status_code == plain.status_code, (address, headers)
            assert "evil.example" not in odd.text and odd.headers["X-Request-Id"] != "mine"
            if 'name="submission"' not in plain.text and "csrf" not in plain.text:
                assert odd.text == plain.text, (address, headers)


@only_sqlite
def test_a_host_that_is_not_ours_gets_no_page(client):
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1:8000@evil.example",
        "evil.example:8000",
        "127.0.0.1:evil",
        "127.0.0.1/evil",
        "127.0.0.1, evil.example",
        "127.0.0.1 evil.example",
        "[::1",
        "",
        "\u2488 evil".encode().decode("latin-1"),
        "a" * 5000,
    ]:
        for path in ("/", "/book/", "/desk/", "/nothing/"):
            answer = client.get(path, headers={"Host": host})
            assert answer.status_code == 400, path
            assert "evil" not in answer.text and "Location" not in answer.headers
