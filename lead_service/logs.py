"""Structured logs: one JSON object per line, with ids and routes, without personal data."""

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
PLACES = 8  # stack frames of an error that are logged


def configure(level: str) -> None:
    """Send every log line to stderr as JSON."""
    logging.config.dictConfig(config(level))


def config(level: str) -> dict:
    """Return the logging configuration of every process, which silences personal data."""
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
        # At DEBUG the provider's client logs the recipient, the body and the key, and
        # SQLAlchemy logs every parameter.
        "loggers": {
            "httpcore": {"level": "WARNING"},
            "sqlalchemy": {"level": "WARNING"},
            "_granian": {"level": "WARNING"},
            "alembic": {"level": "WARNING"},  # it logs two lines for each check of the schema
        },
    }


class Line(JsonFormatter):
    """Format a record as one line of JSON; characters other than printable ASCII are escaped."""

    def formatException(self, ei) -> str:
        """Name an error's type and places, without its text, which may quote a visitor."""
        kind, _, trace = ei
        return " > ".join([kind.__name__ if kind else "no error", *places(trace)])


class Stderr(logging.Handler):
    """Write each line by one system call, which keeps the lines of all threads apart.

    The standard handler holds a lock meanwhile. A thread gives up the interpreter when it
    writes, and under load the other threads waited for both.
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
    """Add the current request's id to every line."""

    def filter(self, record: logging.LogRecord) -> bool:
        if has_request_context() and "request_id" in g:
            record.request_id = g.request_id
        return True


def places(trace: TracebackType | None) -> list[str]:
    """Return an error's stack frames as `file:line function`, without values."""
    found = []
    while trace:
        code = trace.tb_frame.f_code
        found.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-PLACES:]


def method_of(request: Request) -> str:
    """Return the request's method, or one word for all unknown methods that clients make up."""
    return request.method if request.method in KNOWN_METHODS else "other"


def install(app: Flask) -> None:
    """Log one line for each request: its route, not its path, which may hold a token."""
    app.before_request(_start)
    app.after_request(_finish)


def _start() -> None:
    # The id may be guessable. Asking the system for randomness would give up the interpreter.
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
