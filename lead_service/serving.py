"""Starting the processes: the web server, and on one machine the deliver process beside it."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from sqlalchemy.exc import DatabaseError

from . import clock, log, published, schema
from .book import hosting
from .db import Database
from .desk.access import make_link
from .settings import Settings, SettingsError

THREADS = 8  # a request waits for the database, not for the processor
STOP_SECONDS = 20  # longer than the longest request


def serve(settings: Settings) -> None:
    """Set up and serve the whole product on this machine until stopped."""
    _require_free(settings.bind_address, settings.port)
    site = published.read(settings)
    _announce(settings, site, _prepare(settings))
    delivery = subprocess.Popen(
        [sys.executable, "-m", "lead_service", "deliver", "--with-parent", str(os.getpid())],
        start_new_session=True,
    )
    try:
        web(settings)
    finally:
        delivery.send_signal(signal.SIGTERM)
        delivery.wait(timeout=STOP_SECONDS + 10)


def _prepare(settings: Settings) -> str:
    """Migrate, seed, and return a sign-in link; refuse a database that cannot be used."""
    database = Database(settings.database_url)
    try:
        schema.migrate(database)
        database.write(lambda session: hosting.seed(session, settings))
        return make_link(database, settings, settings.sales_to[0], clock.now())
    except (DatabaseError, OSError) as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        raise SettingsError([f"DATABASE_URL: cannot be used: {reason}"]) from None
    finally:
        database.close()


def web(settings: Settings) -> None:
    """Run the web server until it is told to stop; requests that it has accepted finish."""
    _require_free(settings.bind_address, settings.port)
    log.configure(settings.log_level)
    Granian(
        "lead_service:create_app",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.bind_address,
        port=settings.port,
        workers=settings.workers,
        blocking_threads=THREADS,
        workers_kill_timeout=STOP_SECONDS,
        respawn_failed_workers=True,
        websockets=False,
        log_dictconfig=log.config(settings.log_level),
        log_level=LogLevels.error,  # it warns of more threads than processors: see THREADS
        log_access=False,
    ).serve()


def _require_free(address: str, port: int) -> None:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            raise click.ClickException(
                f"port {port} is in use; stop what listens there, or set PORT"
            ) from None


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
