"""Send requests over a few connections, each sending the next one after its response."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

CONNECTIONS = 8


@dataclass(frozen=True)
class Round:
    """The results of one round; times in milliseconds."""

    seconds: float
    times: tuple[float, ...]  # sorted
    failed: int  # responses with another status than the expected one

    @property
    def rate(self) -> float:
        """Responses per second."""
        return len(self.times) / self.seconds

    def percentile(self, percent: float) -> float:
        return self.times[min(len(self.times) - 1, int(len(self.times) * percent / 100))]


def load(port: int, count: int, request: Callable[[int], bytes], wanted: int) -> Round:
    """Send `request(n)` for each n below `count`, one at a time per connection."""
    numbers, lock = iter(range(count)), threading.Lock()
    times: list[float] = []
    failed = [0] * CONNECTIONS

    def visit(place: int) -> None:
        own = []
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    break
                sent = request(number)
                began = time.perf_counter()
                connection.sendall(sent)
                failed[place] += status(connection) != wanted
                own.append((time.perf_counter() - began) * 1000)
        times.extend(own)

    visitors = [threading.Thread(target=visit, args=(place,)) for place in range(CONNECTIONS)]
    began = time.perf_counter()
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    return Round(time.perf_counter() - began, tuple(sorted(times)), sum(failed))


def status(connection: socket.socket) -> int:
    """Read one whole response, and return its status."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (piece := connection.recv(65536)):
            return 0
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    lower = head.lower()
    length = (
        int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
        if b"content-length:" in lower
        else 0
    )
    missing = length - len(body)
    while missing > 0 and (piece := connection.recv(65536)):
        missing -= len(piece)
    return int(head.split(b" ", 2)[1])


def get(path: str, port: int) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()


def post(path: str, port: int, body: str) -> bytes:
    """Write a form's request like a browser on our own page."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nSec-Fetch-Site: same-origin\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
