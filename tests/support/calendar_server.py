"""A real https server that plays a calendar provider, with configurable responses."""

import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Answer = Callable[["Handler"], None]


class CalendarServer:
    """The server; use it in a `with` block, and set `.answers[path]`."""

    def __init__(self, folder: Path) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []  # path and headers, small letters
        self.closing = threading.Event()
        self.certificate = folder / "calendar.pem"
        self.certificate.write_bytes(_certificate())
        self._server = Server(self)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str = "/", host: str = "localhost") -> str:
        return f"https://{host}:{self._server.server_port}{path}"


class Server(ThreadingHTTPServer):
    """The HTTP server of one calendar server."""

    def __init__(self, calendar: CalendarServer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calendar = calendar


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        calendar = self.server.calendar
        headers = {name.lower(): value for name, value in self.headers.items()}
        calendar.asked.append((self.path, headers))
        calendar.answers[self.path](self)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        pass


def file(content: bytes, **headers: str) -> Answer:
    return lambda request: request.answer(200, content, **headers)


def leads_to(url: str, status: int = 302) -> Answer:
    return lambda request: request.answer(status, Location=url)


def hang(request: Handler) -> None:
    """Send nothing until the test is over."""
    request.server.calendar.closing.wait(30)


def drip(request: Handler) -> None:
    """Send a byte now and then, forever: each read succeeds."""
    request.send_response(200)
    request.send_header("Content-Length", "4000000")
    request.end_headers()
    while not request.server.calendar.closing.wait(0.05):
        try:
            request.wfile.write(b"B")
            request.wfile.flush()
        except OSError:
            return


def without_end(request: Handler) -> None:
    """Send data without end and without a length."""
    request.send_response(200)
    request.send_header("Connection", "close")
    request.end_headers()
    try:
        while True:
            request.wfile.write(b"X" * 65_536)
    except OSError:
        return


@cache
def _certificate() -> bytes:
    """Create a key and a self-signed certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    return key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, plain
    ) + certificate.public_bytes(pem)
