"""Clients that never finish a request: pages still open, even without a proxy."""

import socket
import time
from contextlib import ExitStack

from tests.support.processes import Product, contact_form

CLIENTS = 100
BEGINNINGS = (
    b"",
    b"GET",
    b"GET /book/ HTTP/1.1\r\nHost: 127.0.0.1",
    b"POST /contact/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ",
)


def run(environment: dict[str, str], rounds: int) -> dict[str, int]:
    """Open a hundred connections that send a byte now and then, and open pages meanwhile."""
    read = 0
    with Product(environment) as product, ExitStack() as connections:
        place = ("127.0.0.1", int(product.port))
        clients = [
            connections.enter_context(socket.create_connection(place)) for _ in range(CLIENTS)
        ]
        for number, client in enumerate(clients):
            client.sendall(BEGINNINGS[number % len(BEGINNINGS)])
        for _ in range(rounds * 5):
            for client in clients[3::4]:
                client.sendall(b"a")
            read += sum(product.get(path).status == 200 for path in ("/", "/book/", "/contact/"))
            time.sleep(0.1)
        assert read == rounds * 15, read
        assert product.post("/contact/", contact_form(1)).status == 303
    return {"slow connections": CLIENTS, "pages read meanwhile": read, "forms taken": 1}
