"""Structured logs: one JSON object a line, ids and routes, never names, addresses or answers."""

import logging
import logging.config
import os
import random
import sys
import time
from types import TracebackType

from flask import Flask, Request, Response, g, has_request_context, request
from pythonjsonlogger.json import JsonFormatter

log = logging.getLogger(__name__)

KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
PLACES = 8  # of an error: how many calls deep it is told


def configure(level: str) -> None:
    """Send every log line to stderr as JSON."""
    logging.config.dictConfig(config(level))


def config(level: str) -> dict:
    """Return the logging of every process; it quiets what would write personal data."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": f"{__name__}.Line",
                "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
                "rename_fields": {"asctime": "at", "levelname": "level"},
            }
        },
        "filters": {"request": {"()": f"{__name__}.OfRequest"}},
        "handlers": {
            "stderr": {
                "class": f"{__name__}.Stderr",
                "formatter": "json",
                "filters": ["request"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        # At DEBUG the provider's client writes the recipient, the body and the key, and
        # SQLAlchemy every parameter.
        "loggers": {
            "httpcore": {"level": "WARNING"},
            "sqlalchemy": {"level": "WARNING"},
            "_granian": {"level": "WARNING"},
            "alembic": {"level": "WARNING"},  # two lines for each look at the schema
        },
    }


class Line(JsonFormatter):
    """One JSON object a line; what is no printable ASCII is escaped in it, line ends included."""

    def formatException(self, ei) -> str:
        """Name an error and where it was raised; its text may hold what a visitor typed."""
        kind, _, trace = ei
        return " > ".join([kind.__name__ if kind else "no error", *places(trace)])


class Stderr(logging.Handler):
    """Writes each line by one call of the system, which keeps the lines of all threads apart.

    The library's handler holds a lock meanwhile. A thread gives up the interpreter when it
    writes, and under load the others then came to wait for both.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        if is_wanted := bool(self.filter(record)):
            self.emit(record)
        return is_wanted

    def emit(self, record: logging.LogRecord) -> None:
        try:
            os.write(sys.stderr.fileno(), f"{self.format(record)}\n".encode())
        except Exception:
            self.handleError(record)


class OfRequest(logging.Filter):
    """Adds the id of the request under way to every line that is written meanwhile."""

    def filter(self, record: logging.LogRecord) -> bool:
        if has_request_context() and "request_id" in g:
            record.request_id = g.request_id
        return True


def places(trace: TracebackType | None) -> list[str]:
    """Return where an error went through, as `file:line function`, without any value."""
    found = []
    while trace:
        code = trace.tb_frame.f_code
        found.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-PLACES:]


def method_of(request: Request) -> str:
    """Return the method of a request; a client can make up any word for it."""
    return request.method if request.method in KNOWN_METHODS else "other"


def install(app: Flask) -> None:
    """Log one line for each request: its route, not its path, which may hold a token."""
    app.before_request(_start)
    app.after_request(_finish)


def _start() -> None:
    # It need not be unguessable, and asking the system for randomness gives up the interpreter.
    g.request_id, g.started = f"{random.getrandbits(64):016x}", time.perf_counter()


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    level = logging.INFO if response.status_code < 400 else logging.WARNING
    log.log(
        logging.ERROR if response.status_code >= 500 else level,
        "request",
        extra={
            "request_id": g.request_id,
            "method": method_of(request),
            "route": request.url_rule.rule if request.url_rule else None,
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.started) * 1000, 1),
        },
    )
    return response
