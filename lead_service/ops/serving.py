"""Start and stop the web server, and the deliver process beside it."""

import errno
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import click
from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import MPServer, MTServer

from .. import clock, create_app, logs
from .. import settings as settings_of
from ..assess import brief
from ..book import held
from ..book.availability import time_cells
from ..book.calendars import sync
from ..book.hosts import setup
from ..book.visitor import times_page
from ..db import schema
from ..db.engine import CONNECTIONS, Database
from ..desk.auth.links import LINK_MINUTES, make_link
from ..desk.mail.composers import composer
from ..emails import worker as delivery
from ..privacy import retention
from ..publishing import site as publishing_site
from ..settings import Settings, SettingsError
from . import checks
from .metrics_server import serve_metrics

THREADS = CONNECTIONS  # requests mostly wait for the database
STOP_SECONDS = 20  # longer than any request or sending one email
KILL_SECONDS = STOP_SECONDS + 3  # after the signal; Granian kills its own workers earlier
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
WATCH_SECONDS = 0.2  # between two looks for signals and ended processes
RESTART_SECONDS = 1
PUBLIC, METRICS = ("BIND_ADDRESS", "PORT"), ("METRICS_ADDRESS", "METRICS_PORT")

log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Set up and serve the whole product on this machine until stopped."""
    address = _free_addresses(settings)
    site = load_content(settings)
    _announce(settings, site, _prepare(settings))
    logs.configure(settings.log_level)
    renewal = publishing_site.Renewal(settings.site_dir)
    supervise(
        partial(_serve_requests, settings, address),
        partial(deliver, settings),
        # In production, deploying a new build restarts both processes.
        renewal.has_come if settings.is_local else lambda: False,
    )


def load_content(settings: Settings) -> publishing_site.Published:
    """Load the site; raise SettingsError when brief.yml doesn't fit its questions."""
    site = publishing_site.load_site(settings)
    if faults := brief.faults(site.framework):
        raise SettingsError(faults)
    return site


def web(settings: Settings) -> None:
    """Run the web server until a stop signal; accepted requests finish."""
    address = _free_addresses(settings)
    logs.configure(settings.log_level)
    supervise(partial(_serve_requests, settings, address))


def deliver(settings: Settings) -> None:
    """Send the emails in the outbox and read the hosts' calendars until a stop signal."""
    parent = multiprocessing.parent_process()
    delivery.run(
        settings,
        composer(settings, load_content(settings)),
        parent_pid=parent.pid if parent else None,
        daily=lambda database: _daily(database, settings),
        clock_fault=lambda database: checks.clock_fault(settings, database),
        beside=(
            lambda database: held.look_after(database, settings, clock.now()),
            lambda database: sync.refresh_due(database, settings),
        ),
    )


def _daily(database: Database, settings: Settings) -> None:
    retention.run_daily(database, settings, clock.now())
    database.write(lambda session: time_cells.drop_past(session, clock.now()))
    database.write(lambda session: held.forget_clients(session, clock.now()))
    database.clean_up()


def _prepare(settings: Settings) -> str:
    """Migrate, add the first host, and return a sign-in link."""
    with schema.opened(settings) as database:
        schema.migrate(database)
        database.write(lambda session: setup.create_first_host(session, settings))
        return make_link(database, settings, settings.sales_to[0], clock.now())


def supervise(
    serve_requests: Callable[[], None],
    deliver: Callable[[], None] | None = None,
    is_outdated: Callable[[], bool] = lambda: False,
) -> None:
    """Run the web server, and deliver if given, until a stop signal; then end both in time.

    This process blocks the signals and polls for a pending one. So it doesn't matter how
    many come or when: no handler runs that another signal could interrupt, as Granian's, which can
    deadlock. The web server and deliver get sessions of their own: signals to this process's
    group or terminal do not reach them, and each is told to stop once, from here.
    Deliver is restarted when it ends, and when `is_outdated` says that the site has changed;
    the web server reloads the site itself. Raises SystemExit when the web server failed or
    something had to be killed.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _stop_signals())
    server = _start("web", serve_requests)
    mailer = _start("deliver", deliver) if deliver else None
    while server.is_alive() and not _is_told_to_stop(WATCH_SECONDS):
        if is_outdated() and deliver and mailer:
            _end([mailer])
            mailer = _start("deliver", deliver)
        if deliver and mailer and not mailer.is_alive():
            log.error("deliver has ended (%s) and will be started again", mailer.exitcode)
            if not _is_told_to_stop(RESTART_SECONDS):
                mailer = _start("deliver", deliver)
    has_failed = bool(server.exitcode) and not _is_told_to_stop()
    if has_failed:
        log.error("the web server has ended (%s)", server.exitcode)
    was_killed = _end([server, mailer] if mailer else [server])
    if has_failed or was_killed:
        sys.exit(1)


def _stop_signals() -> set[signal.Signals]:
    """Return the signals that stop this process, without SIGHUP under `nohup`."""
    ignored = {signal.SIGHUP} if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else set()
    return STOP_SIGNALS - ignored


def _is_told_to_stop(within: float = 0) -> bool:
    """Wait up to `within` seconds for a stop signal, which stays pending."""
    end = time.monotonic() + within
    while not (is_told := bool(signal.sigpending() & STOP_SIGNALS)) and time.monotonic() < end:
        time.sleep(WATCH_SECONDS)
    return is_told


def _start(name: str, run: Callable[[], None]) -> BaseProcess:
    """Fork a process that runs a function and shares this one's loaded modules."""
    process = multiprocessing.get_context("fork").Process(
        name=name, target=_run_in_session, args=(name, run)
    )
    process.start()
    return process


def _run_in_session(name: str, run: Callable[[], None]) -> None:
    os.setsid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    with suppress(OSError):  # name the process for `ps` and `top` on Linux
        Path("/proc/self/comm").write_text(name)
    try:
        run()
    except Exception:
        log.exception("%s has failed", name)  # the formatter leaves out the error's text
        sys.exit(1)


def _end(processes: list[BaseProcess]) -> bool:
    """Stop processes; kill those left after KILL_SECONDS, and say whether there were any."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + KILL_SECONDS
    for process in processes:
        process.join(max(0, deadline - time.monotonic()))
    late = [process for process in processes if process.is_alive()]
    for process in late:
        log.error("%s did not stop in %s seconds and will be killed", process.name, KILL_SECONDS)
    for process in processes:
        assert process.pid  # it was started
        with suppress(ProcessLookupError):  # its workers may outlive it
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
    return bool(late)


def _serve_requests(settings: Settings, address: str) -> None:
    """Run Granian until a stop signal or until its parent process is gone."""
    _end_with_parent()
    with serve_metrics(settings):
        _server(settings, address).serve()


def _server(settings: Settings, address: str) -> MPServer | MTServer:
    return Granian(
        "lead_service.ops.serving:worker_app",
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
        log_level=LogLevels.error,  # without its warning about THREADS
        log_access=False,
    )


class Renewing:
    """Serve the application, and replace it when the site is rebuilt with other content.

    A restart would refuse visitors. Current requests finish with the old application.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings, self._turn = settings, threading.Lock()
        self._renewal = publishing_site.Renewal(settings.site_dir)
        self._app = create_app(settings)
        _warm_up(self._app)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if self._turn.acquire(blocking=False):
            try:
                if self._renewal.has_come():
                    self._renew()
            finally:
                self._turn.release()
        return self._app(environ, start_response)

    def _renew(self) -> None:
        old = self._app
        try:
            load_content(self._settings)  # check like deliver, so that both switch or neither does
            self._app = create_app(self._settings)
        except SettingsError as error:
            log.error("the new build is not served: %s", error)
        else:
            old.extensions["lead_service"].database.engine.dispose()


def worker_app() -> Callable[[Any, Any], Any]:
    """Create the application of one worker, which exits when its parent process is gone."""
    # The worker inherits the server's handler, which would swallow a stop signal.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_parent()
    settings = settings_of.load()
    if settings.is_local:  # in production, deploying a new build restarts the server
        return Renewing(settings)
    app = create_app(settings)
    _warm_up(app)
    return app


def _warm_up(app: Flask) -> None:
    """Render the page of times once; otherwise its first visitor waits half a second."""
    try:
        with app.test_request_context("/book/?zone=Europe/Berlin"):
            times_page.for_booking().render()
    except Exception:  # failing here must not stop the worker; the page itself reports the error
        log.warning("could not render the page of times in advance", exc_info=True)


def _end_with_parent() -> None:
    """Exit when the parent process is gone.

    After a `kill -9` of the parent an orphan would keep the port, and no new server could start.
    """

    def watch(parent_pid: int | None) -> None:
        while os.getppid() == parent_pid:
            time.sleep(WATCH_SECONDS)
        os._exit(1)  # immediately; open transactions are rolled back

    if parent := multiprocessing.parent_process():
        threading.Thread(target=watch, args=(parent.pid,), daemon=True).start()


def _free_addresses(settings: Settings) -> str:
    """Return the numeric address to listen on; ClickException when a port isn't free."""
    address = _free_address(settings.bind_address, settings.port)
    if settings.metrics_port:
        _free_address(settings.metrics_address, settings.metrics_port, METRICS)
    return address


def _free_address(address: str, port: int, names: tuple[str, str] = PUBLIC) -> str:
    """Return the numeric form of an address whose port is free, or raise ClickException.

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
        return f"Port {port} is in use. Stop the program that uses it, or change {names[1]}."
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return f"{names[0]}: {address} is not an address of this machine"
    reason = getattr(error, "strerror", None) or type(error).__name__
    return f"cannot listen on {address}, port {port}: {reason} ({', '.join(names)})"


def _announce(settings: Settings, site: publishing_site.Published, link: str) -> None:
    """Print the addresses and folders before the log starts."""
    article = site.articles[-1].url if site.articles else "/insights/"
    emails = "sent through SendGrid" if settings.sendgrid_api_key else "sent through SMTP_URL"
    if settings.writes_mail_to_folder:
        emails = f"saved as files in {settings.mail_folder}"
    lines = {
        "Open": settings.public_url,
        "Article": settings.link(article),
        "Assessment": settings.link("/assessment/"),
        "Book a call": settings.link("/book/"),
        "Desk sign-in": f"{link}  (works once, for {LINK_MINUTES} minutes)",
        "Emails": emails,
    }
    click.echo("\n".join(f"{name:<14}{value}" for name, value in lines.items()))
    click.echo("Press Ctrl+C to stop.\n")
