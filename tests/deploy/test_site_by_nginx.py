"""The site served by nginx: the same rules as the service's, without the service."""

import gzip
import http.client
import re
import socket
import ssl

import brotli
import pytest

from lead_service.headers import OF_FILES
from tests.support.built_site import host_rules
from tests.support.waiting import eventually

PAGES = ("/", "/about/", "/insights/why-most-ai-pilots-never-scale/")


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_the_headers_listed_for_static_hosts(client, cluster, path):
    answer = client.get(path)
    assert answer.status == 200
    rules = host_rules(cluster.site)["/*"]
    assert {name: answer.headers.get(name.lower()) for name in rules} == rules
    assert "includeSubDomains" in answer.headers["strict-transport-security"]


def about_as(client, encoding: str):
    """Get a page in an encoding. At times Brotli's module declines in one of nginx's workers."""
    answers = []

    def is_encoded() -> bool:
        answers.append(client.get("/about/", Accept_Encoding=encoding))
        return answers[-1].headers.get("content-encoding") == encoding

    assert eventually(is_encoded)
    return answers[-1]


def test_pages_are_sent_as_the_build_compressed_them(client, cluster):
    plain = (cluster.site / "about" / "index.html").read_bytes()
    for encoding, opened in (("br", brotli.decompress), ("gzip", gzip.decompress)):
        answer = about_as(client, encoding)
        assert len(answer.body) < len(plain) / 2
        assert opened(answer.body) == plain


def test_files_with_a_hash_in_their_name_are_cached_for_a_year(client, cluster):
    for folder in ("assets", "static"):
        [file, *_] = cluster.site.glob(f"{folder}/*.css")
        headers = client.get(f"/{folder}/{file.name}").headers
        assert headers["cache-control"] == "max-age=31536000, public, immutable"
        assert {name.lower() for name in OF_FILES} < headers.keys()
        assert "content-security-policy" not in headers
    assert client.get("/assets/missing.css").headers["cache-control"] == "no-store"
    assert client.get("/about/").headers["cache-control"] == "max-age=300, public"


def test_files_have_the_content_types_listed_for_static_hosts(client, cluster):
    for path, headers in host_rules(cluster.site).items():
        if "Content-Type" in headers:
            assert client.get(path).headers["content-type"].startswith(headers["Content-Type"])


def test_an_address_without_its_slash_redirects_permanently(client):
    answer = client.get("/about?a=b")
    assert (answer.status, answer.headers["location"]) == (301, "/about/?a=b")
    assert client.get("//evil.example/about").status == 404


@pytest.mark.parametrize("path", ["/200.html", "/503.html", "/_headers", "/_nginx/name.conf",
                                  "/headers.json", "/about/index.html.br"])  # fmt: skip
def test_files_for_servers_are_not_served_as_pages(client, path):
    answer = client.get(path)
    assert answer.status == 404
    assert "find that page" in answer.text


def test_symbolic_links_out_of_the_site_are_not_followed(client, cluster):
    (cluster.site / "about" / "out.txt").symlink_to("/etc/hostname")
    (cluster.site / "out").symlink_to("/etc")
    for path in ("/about/out.txt", "/out/hostname"):
        assert client.get(path).status == 404
    about_as(client, "br")


def test_static_pages_refuse_posts(client):
    assert client.post("/about/", {"a": "b"}).status == 405


def test_headers_of_the_service_are_not_doubled(client):
    connection = http.client.HTTPSConnection(client.name, client.port)
    connection.sock = client.connect()
    connection.request("GET", "/book/")
    names = [name.lower() for name, _ in connection.getresponse().getheaders()]
    connection.close()
    assert len(names) == len(set(names))


def test_plain_http_redirects_to_the_canonical_address(cluster):
    connection = http.client.HTTPConnection("127.0.0.1", cluster.ports["http"])
    connection.request("GET", "/about/?a=b", headers={"Host": "evil.example"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, f"{cluster.address}/about/?a=b")
    connection.close()


@pytest.mark.parametrize(
    ("version", "is_spoken"),
    [
        (ssl.TLSVersion.TLSv1_3, True),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_1, False),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_only_tls_1_2_and_1_3_are_accepted(client, version, is_spoken):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")  # what this machine's OpenSSL would refuse by default
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", client.port)) as plain:
        if is_spoken:
            context.wrap_socket(plain, server_hostname=client.name).close()
        else:
            with pytest.raises(ssl.SSLError):
                context.wrap_socket(plain, server_hostname=client.name)


@pytest.mark.parametrize(
    "request_line",
    [
        *("GET / HTTP/9.9", f"GET /{'x' * 40_000} HTTP/1.1", "GET"),
        *("GET /book/?a=< HTTP/1.1", "GET /book/ HTTP/1.1" + "\r\nX-A: b" * 150),
    ],
    ids=["version", "length", "no path", "sign", "headers"],
)
def test_refused_requests_have_the_security_headers(client, request_line):
    host = f"Host: {client.name}\r\nConnection: close"
    with client.connect() as connection:
        connection.sendall(f"{request_line}\r\n{host}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert re.match(r"HTTP/1.1 (4|5)\d\d", answer), answer[:100]
    for name in ("Content-Security-Policy", "Strict-Transport-Security", "Cache-Control: no-store"):
        assert name in answer


def test_database_faults_are_not_public(client):
    assert client.get("/readyz").status == client.get("/readyz/").status == 404
    assert client.get("/healthz").status == 200


def test_an_unknown_host_name_gets_no_certificate_and_no_page(client):
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        client.connect(sni="evil.example")
    assert client.get("/about/", Host="evil.example").status == 421
