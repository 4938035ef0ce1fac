"""The service behind https: one host name, and cookies for this host alone."""

import re

import pytest

from tests.service.conftest import Browser, publish
from tests.support.app.desk_client import path_of_link
from tests.support.app.hosts import change_host
from tests.support.app.visitor_forms import assess, booking_form, hidden, open_starts
from tests.unit.test_settings import PRODUCTION

OWN = "https://advisory.example"
TERMINATED = "http://advisory.example"  # as the proxy that terminates TLS forwards it


class Visitor(Browser):
    """A browser behind a proxy that adds no header about https."""

    def open(self, *args, **kwargs):
        headers = {"Host": "advisory.example"} | dict(kwargs.pop("headers", None) or {})
        kwargs.setdefault("base_url", TERMINATED)
        return super().open(*args, headers=headers, **kwargs)


@pytest.fixture
def environment(environment, tmp_path) -> dict[str, str]:
    site = tmp_path / "site"
    site.mkdir()
    publish(site)
    articles = site / "articles.json"
    articles.write_text(articles.read_text().replace("http://127.0.0.1:8000", OWN))
    same = ("DATABASE_URL", "VAR_DIR", "LIMIT_POSTS")
    kept = {name: environment[name] for name in same}
    return PRODUCTION | kept | {"SITE_DIR": str(site)}


@pytest.fixture
def client(app) -> Visitor:
    app.test_client_class = Visitor
    return app.test_client()


def test_every_response_has_strict_transport_security(client):
    for path in ("/", "/book/", "/nothing/", "/desk/", "/healthz"):
        kept = client.get(path).headers["Strict-Transport-Security"]
        assert int(re.match(r"max-age=(\d+)", kept)[1]) >= 31_536_000


def test_the_desk_s_cookie_goes_to_this_host_alone_and_to_no_script(client, database, settings):
    page = path_of_link(database, settings).removeprefix(OWN)
    told = client.get(page).headers.getlist("Set-Cookie")
    assert len(told) == 1
    name, *rest = [part.strip() for part in told[0].split(";")]
    assert name.startswith("__Host-desk=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(rest)
    assert not any(part.startswith("Domain") for part in rest)


def test_links_in_emails_and_pages_ignore_the_requests_host(client, framework, mails, database):
    change_host(database, is_active=True)
    result = assess(client, framework)
    odd = {"Host": "advisory.example:8080", "X-Forwarded-Host": "evil.example"}
    client.post(f"{result}mail", data={"email": "ada@example.com"}, headers=odd)
    form = booking_form(client, open_starts(client)[0])
    client.post("/book/", data=form, headers=odd)
    links = [link for _, mail in mails() for link in re.findall(r"https?://[^\s\"<>]+", mail.text)]
    calendars = {"https://calendar.google.com", "https://outlook.office.com"}
    assert {"/".join(link.split("/")[:3]) for link in links} == {OWN, *calendars}


@pytest.mark.parametrize("host", ["127.0.0.1", "www.advisory.example"])
def test_no_other_name_is_answered(client, host):
    assert client.get("/book/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (OWN, 303),
        (TERMINATED, 403),
        ("https://advisory.example:8443", 403),
        ("https://advisory.example.evil.example", 403),
        ("null", 403),
    ],
)
def test_a_form_of_ours_is_known_by_its_origin(client, origin, status):
    token = hidden(client.get("/contact/").text, "submission")
    form = {"submission": token, "name": "Ada", "email": "ada@example.com", "topic": "Call me"}
    headers = {"Origin": origin, "Sec-Fetch-Site": None}
    assert client.post("/contact/", data=form, headers=headers).status_code == status


def test_no_error_shows_its_cause(client, monkeypatch):
    from lead_service.book import routes

    def broken(*_args, **_more) -> None:
        raise RuntimeError("SECRET_KEY of the inside")

    monkeypatch.setattr(routes, "parse_start", broken)
    answer = client.post("/book/", data={"name": "Ada"})
    assert answer.status_code == 500
    assert "inside" not in answer.text and "Traceback" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
