"""Connect to the proxy like a visitor: by TLS, from any address of this machine."""

import http.client
import socket
import ssl
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import PATIENCE


@dataclass(frozen=True)
class Answer:
    """One response; `status` is 0 when the connection broke."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """A client of the proxy at `port`, by its name, that trusts only its certificate."""

    def __init__(self, port: int, name: str, certificate: Path) -> None:
        self.port, self.name, self._certificate = port, name, certificate

    def connect(self, *, as_client: str = "127.0.0.1", sni: str = "") -> ssl.SSLSocket:
        """Open a connection from one of the loopback addresses."""
        context = ssl.create_default_context(cafile=self._certificate)
        plain = socket.create_connection(
            ("127.0.0.1", self.port), timeout=PATIENCE, source_address=(as_client, 0)
        )
        return context.wrap_socket(plain, server_hostname=sni or self.name)

    def get(self, path: str, *, as_client: str = "127.0.0.1", **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers, as_client=as_client)

    def post(self, path: str, form: dict[str, str], *, as_client: str = "127.0.0.1") -> Answer:
        body = urllib.parse.urlencode(form)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"https://{self.name}:{self.port}",
        }
        return self.ask("POST", path, body, headers, as_client)

    def ask(
        self,
        method: str,
        path: str,
        body: str | None = None,
        headers: dict[str, str] | None = None,
        as_client: str = "127.0.0.1",
    ) -> Answer:
        """Send one request; names of headers are written with _ for -."""
        connection = http.client.HTTPSConnection(self.name, self.port, timeout=PATIENCE)
        try:
            connection.sock = self.connect(as_client=as_client)
            given = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        except (OSError, http.client.HTTPException):
            return Answer(0, {}, b"")
        finally:
            connection.close()
