"""Structured logs: one JSON object a line, ids and routes, never names, addresses or answers."""

import logging
import logging.config
import time
import uuid

from flask import Flask, Response, g, request

log = logging.getLogger(__name__)


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
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
                "rename_fields": {"asctime": "at", "levelname": "level"},
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        # At DEBUG the provider's client writes the recipient, the body and the key, and
        # SQLAlchemy writes every parameter.
        "loggers": {
            "python_http_client": {"level": "WARNING"},
            "sqlalchemy": {"level": "WARNING"},
            "_granian": {"level": "WARNING"},
        },
    }


def install(app: Flask) -> None:
    """Log one line for each request: its route, not its path, which may hold a token."""
    app.before_request(_start)
    app.after_request(_finish)


def _start() -> None:
    g.request_id, g.started = uuid.uuid4().hex[:16], time.perf_counter()


def _finish(response: Response) -> Response:
    if "started" not in g:  # refused before it began, for its host
        _start()
    response.headers["X-Request-Id"] = g.request_id
    level = logging.INFO if response.status_code < 400 else logging.WARNING
    log.log(
        logging.ERROR if response.status_code >= 500 else level,
        "request",
        extra={
            "request_id": g.request_id,
            "method": request.method if request.method in KNOWN_METHODS else "other",
            "route": request.url_rule.rule if request.url_rule else None,
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.started) * 1000, 1),
        },
    )
    return response


KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
