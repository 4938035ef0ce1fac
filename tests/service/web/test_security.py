"""Checks before every request: origin, size, characters, hosts, limits and headers."""

import io
import re
from html import unescape
from urllib.parse import urlencode

from sqlalchemy import func, select

from lead_service.leads.models import Lead
from lead_service.service_pages import service_pages
from lead_service.web import security
from tests.support.app.visitor_forms import VISITOR, booking_form, hidden, open_starts

VISITOR_S_NETWORK = {"REMOTE_ADDR": "203.0.113.9"}
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": None, "Origin": "http://evil.example"},
    {"Sec-Fetch-Site": None, "Origin": "null"},
    {"Sec-Fetch-Site": None},
]


def leads(database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Lead))


def contact(client, **changes: str) -> dict[str, str]:
    token = hidden(client.get("/contact/").text, "submission")
    return VISITOR | {"submission": token} | changes


def test_a_cross_site_post_changes_nothing_and_keeps_the_input(client, database):
    for headers in FOREIGN:
        answer = client.post("/contact/", data=contact(client), headers=headers)
        assert answer.status_code == 403, headers
        assert 'value="Ada Example"' in answer.text
        assert leads(database) == 0


def test_every_form_refuses_a_post_from_elsewhere(app, client):
    """Checks all routes with a POST, including new ones."""
    for rule in app.url_map.iter_rules():
        if "POST" in rule.methods:
            path = rule.rule.replace("<int:lead_id>", "1")
            path = "/".join("1" if part.startswith("<") else part for part in path.split("/"))
            answer = client.post(path, headers={"Sec-Fetch-Site": "cross-site"})
            assert answer.status_code == 403, rule


def test_a_load_balancer_may_use_its_own_host_for_health_checks(client):
    for path in ("/healthz", "/readyz"):
        answer = client.get(path, headers={"Host": "10.0.0.7:8000"})
        assert answer.status_code != 400
        assert "10.0.0.7" not in answer.text


def test_an_address_without_its_slash_is_the_same_page(client):
    for path in ("/book", "/assessment", "/contact"):
        assert client.get(path).status_code == 200


def test_service_pages_have_a_canonical_address_and_the_description_of_our_search(client):
    calls = client.application.extensions["lead_service"].published.calls
    for path, _, description, _ in service_pages(calls):
        page = client.get(path).text
        canonical = f'<link rel="canonical" href="http://127.0.0.1:8000{path}">'
        linked = client.get(f"{path}?from=an-article").text
        assert canonical in page, path
        assert canonical in linked or 'content="noindex"' in linked
        [told] = re.findall('<meta name="description" content="(.*?)">', page)
        pattern = re.sub(r"\\{\w+\\}", "[a-z ]+", re.escape(description))
        assert re.fullmatch(pattern, unescape(told)), path


def test_one_client_s_posts_are_counted_together(client, app):
    app.extensions["lead_service"].settings.__dict__["limit_posts"] = "2 per hour"
    paths = ["/contact/", "/book/", "/assessment/"]
    codes = [client.post(path, data={"name": "x"}).status_code for path in paths]
    assert codes == [422, 422, 429]


def test_values_that_no_form_sends_are_refused_and_not_stored(client, database):
    for data, status in [
        ({"name": "x" * 100_000}, 413),
        ({"name": "x" * 20_000}, 422),
        ({f"field{n}": "x" for n in range(2_000)}, 413),
        ({f"field{n}": "x" * 4_000 for n in range(25)}, 413),
        ({"name": "A\x00da"}, 422),
        ({"name": "A\x1bda"}, 422),
        ({"name": "A\x85da"}, 422),
        ({"na\x00me": "Ada"}, 422),
        (b"\xff\xfe=\xff", 400),
        (b"name=%ff%fe", 400),
        (b"", 422),
    ]:
        if isinstance(data, dict):
            data = contact(client) | data
        kind = "application/x-www-form-urlencoded"
        answer = client.post("/contact/", data=data, content_type=kind)
        assert answer.status_code == status, (data, status)
        assert leads(database) == 0


def test_a_large_form_of_another_site_is_refused_and_not_read(client):
    answer = client.post(
        "/contact/", data={"name": "x" * 100_000}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


def test_only_the_directive_of_a_policy_violation_is_logged(client, caplog):
    body = (
        '[{"body": {"effectiveDirective": "script-src-elem", "documentURL": "/booking/secret/"}}]'
    )
    headers = {"Content-Type": "application/reports+json"}
    answers = [client.post("/hooks/csp", data=body, headers=headers) for _ in range(12)]
    assert {one.status_code for one in answers} == {204}
    told = [one for one in caplog.records if one.message == "content security policy violation"]
    assert [one.directives for one in told] == [["script-src-elem"]] * 10
    assert not any("secret" in str(vars(one)) for one in told)
    assert (
        client.post("/hooks/csp", data=body, headers={"Sec-Fetch-Site": "cross-site"}).status_code
        == 403
    )
    policy = client.get("/contact/").headers
    assert "report-to csp" in policy["Content-Security-Policy"]
    assert policy["Reporting-Endpoints"] == 'csp="/hooks/csp"'


def test_pages_of_the_service_set_no_cookie(client):
    for path in ("/assessment/", "/book/", "/contact/"):
        assert "Set-Cookie" not in client.get(path).headers


def test_a_flood_is_told_when_to_come_back_and_keeps_the_form(client, app, environment):
    app.extensions["lead_service"].settings.__dict__["limit_posts"] = "2 per hour"
    form = contact(client)
    codes = [client.post("/contact/", data=form).status_code for _ in range(3)]
    answer = client.post("/contact/", data=form)
    assert codes == [303, 303, 429]
    assert int(answer.headers["Retry-After"]) > 0
    assert 'value="Ada Example"' in answer.text


def test_a_forged_client_address_is_not_believed(client, database):
    """So many bookings of one client are held, and not refused."""
    for number in range(5):
        form = booking_form(client, open_starts(client)[0], email=f"ada{number}@example.com")
        headers = {"X-Forwarded-For": f"198.51.100.{number}"}
        sent = client.post("/book/", data=form, headers=headers, environ_base=VISITOR_S_NETWORK)
        assert sent.status_code == 303
    with database.read() as session:
        assert session.scalar(select(func.count()).where(Lead.quarantine)) == 2


def test_a_truncated_form_is_refused(client, database):
    """The server passes the part that arrived, followed by the end of input."""
    body = urlencode(contact(client)).encode()
    for path in ["/contact/", "/book/", "/assessment/"]:
        for length in ({"CONTENT_LENGTH": str(len(body))}, {"HTTP_TRANSFER_ENCODING": "chunked"}):
            cut = {"wsgi.input": io.BytesIO(body[:-10]), "wsgi.input_terminated": True}
            given = cut | length | {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
            assert client.post(path, environ_overrides=given).status_code == 400
        assert leads(database) == 0, path


def test_limits_know_the_customers_of_version_six_by_their_network(app):
    def client_at(address: str) -> str:
        with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
            return security.client_address()

    assert client_at("2001:db8:1:2::1") == client_at("2001:db8:1:ffff::9")
    assert client_at("2001:db8:1:2::1") != client_at("2001:db8:2:2::1")
    assert client_at("::ffff:203.0.113.9") == client_at("203.0.113.9") == "203.0.113.9"
    assert client_at("::1") in security.LOOPBACK


def test_our_host_s_name_is_ours_in_any_case(client):
    assert client.get("/book/", headers={"Host": "LocalHost:8000"}).status_code == 200
