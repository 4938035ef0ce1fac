"""Starting the processes: the web server, and on one machine the deliver process beside it."""

import errno
import logging
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import click
from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from . import clock, create_app, published, schema
from . import log as logs
from .book import hosting
from .db import CONNECTIONS
from .desk.access import make_link
from .metrics.served import served
from .settings import Settings

THREADS = CONNECTIONS  # a request waits for the database, not for the processor
STOP_SECONDS = 20  # longer than the longest request
PUBLIC, METRICS = ("BIND_ADDRESS", "PORT"), ("METRICS_ADDRESS", "METRICS_PORT")
WATCH_SECONDS = 0.5  # how soon it is seen that a process has ended

log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Set up and serve the whole product on this machine until stopped."""
    _free_address(settings.bind_address, settings.port)
    site = published.read(settings)
    _announce(settings, site, _prepare(settings))
    logs.configure(settings.log_level)
    with _delivering():
        web(settings)


def _prepare(settings: Settings) -> str:
    """Migrate, seed, and return a sign-in link; refuse a database that cannot be used."""
    with schema.opened(settings) as database:
        schema.migrate(database)
        database.write(lambda session: hosting.seed(session, settings))
        return make_link(database, settings, settings.sales_to[0], clock.now())


@contextmanager
def _delivering() -> Iterator[None]:
    """Keep a deliver process running beside the web server."""
    stopping = threading.Event()
    # The first starts before any worker does: a worker forked meanwhile would hold its pipes.
    first = _start_delivery()
    keeper = threading.Thread(target=_keep_delivering, args=(first, stopping), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        keeper.join(timeout=STOP_SECONDS + 10)


def _start_delivery() -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "lead_service", "deliver", "--with-parent", str(os.getpid())],
        start_new_session=True,  # Ctrl-C is for this process, which then stops that one
    )


def _keep_delivering(delivery: subprocess.Popen, stopping: threading.Event) -> None:
    """Start deliver again, a second after it has ended, until `stopping`; then stop it."""
    while not stopping.wait(WATCH_SECONDS):
        if delivery.poll() is None:
            continue
        log.error("deliver has ended (%s) and is started again", delivery.returncode)
        if stopping.wait(1):
            break
        delivery = _start_delivery()
    delivery.terminate()
    delivery.wait(timeout=STOP_SECONDS)


def web(settings: Settings) -> None:
    """Run the web server until it is told to stop; requests that it has accepted finish."""
    address = _free_address(settings.bind_address, settings.port)
    if settings.metrics_port:
        _free_address(settings.metrics_address, settings.metrics_port, METRICS)
    logs.configure(settings.log_level)
    with served(settings):
        _server(settings, address).serve()


def _server(settings: Settings, address: str) -> Granian:
    return Granian(
        "lead_service.serving:worker_app",
        factory=True,
        interface=Interfaces.WSGI,
        address=address,
        port=settings.port,
        workers=settings.workers,
        blocking_threads=THREADS,
        workers_kill_timeout=STOP_SECONDS,
        respawn_failed_workers=True,
        websockets=False,
        log_dictconfig=logs.config(settings.log_level),
        log_level=LogLevels.error,  # it warns of more threads than processors: see THREADS
        log_access=False,
    )


def worker_app() -> Flask:
    """Make the application of one worker, which ends when the server that started it is gone.

    After a `kill -9` of the server an orphan would keep the port, and no new one could start.
    """
    if parent := multiprocessing.parent_process():
        threading.Thread(target=_end_with, args=(parent.pid,), daemon=True).start()
    return create_app()


def _end_with(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(WATCH_SECONDS)
    os._exit(1)  # at once: what is not committed is rolled back, as in any crash


def _free_address(address: str, port: int, names: tuple[str, str] = PUBLIC) -> str:
    """Return the numeric form of an address on which the port can be taken; refuse in words.

    `names` are those of the two settings.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except (OSError, UnicodeError) as error:
        raise click.ClickException(_why_not_free(address, port, names, error)) from None
    return str(place[0])


def _why_not_free(address: str, port: int, names: tuple[str, str], error: Exception) -> str:
    if getattr(error, "errno", None) == errno.EADDRINUSE:
        return f"port {port} is in use; stop what listens there, or set {names[1]}"
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return f"{names[0]}: {address} is no address of this machine"
    reason = getattr(error, "strerror", None) or type(error).__name__
    return f"cannot listen on {address}, port {port}: {reason} ({', '.join(names)})"


def _announce(settings: Settings, site: published.Published, link: str) -> None:
    article = site.articles[-1].url if site.articles else "/insights/"
    mail = "SendGrid" if settings.sendgrid_api_key else f"the folder {settings.mail_folder}"
    for name, value in {
        "Site": settings.public_url,
        "Article": settings.link(article),
        "Assess": settings.link("/assessment/"),
        "Book": settings.link("/book/"),
        "Desk, once": link,
        "Mail goes to": mail,
    }.items():
        click.echo(f"{name:<13} {value}")
