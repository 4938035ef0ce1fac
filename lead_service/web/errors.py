"""Error pages: what happened, whether anything was stored, what to do next.

The page keeps the visitor's input in a form, and one button sends it again.
"""

import logging
from math import ceil

from flask import Flask, Response, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ..db.engine import StorageBusy
from ..logs import places
from .security import CONTROL, UNSAFE

log = logging.getLogger(__name__)

RETRY_SECONDS = 30
TOKEN = "csrf_token"  # the desk's CSRF field, which gets a fresh token
UNAVAILABLE = 503
WORDS = {
    400: ("We couldn\u2019t read that request", "Go back and send it again."),
    403: (
        "We couldn\u2019t save your form",
        "The request did not come from one of our pages, or the page had been open for too long."
        " Nothing was saved.",
    ),
    404: (
        "We can\u2019t find that page",
        "The address may be mistyped, or the page may have expired or been deleted.",
    ),
    405: ("We couldn\u2019t process that request", "Start again from the page that led you here."),
    413: ("That was too long", "Shorten the text and send it again. Nothing was saved."),
    422: (
        "We can\u2019t save everything you entered",
        "One of the fields contains characters that we can\u2019t store. Nothing was saved.",
    ),
    429: ("Too many requests", "Send it again {when}, or write to us. Nothing was saved."),
    500: ("Something went wrong on our end", "Try again in a few minutes. Nothing was saved."),
    UNAVAILABLE: (
        "We can\u2019t save anything right now",
        "Try again in a minute. If it\u2019s urgent, contact us.",
    ),
}


def install(app: Flask) -> None:
    """Render every error as one of our pages."""
    app.register_error_handler(CSRFError, lambda _error: page(403))
    app.register_error_handler(HTTPException, _http_error)
    for storage_error in (StorageBusy, DatabaseError, InterfaceError, PoolTimeout):
        app.register_error_handler(storage_error, _storage_error)
    app.register_error_handler(Exception, _broken)


def page(status: int, wait: int = RETRY_SECONDS) -> Response:
    """Render the page of an error `status`, with the input; `wait` is in seconds."""
    title, advice = WORDS.get(status, WORDS[500 if status >= 500 else 400])
    advice = advice.format(when=_when(wait))
    template = "desk/error.html" if request.path.startswith("/desk/") else "error.html"
    shown = {"status": status, "title": title, "advice": advice, "kept": _kept(status)}
    response = make_response(render_template(template, **shown), status)
    if status in {429, UNAVAILABLE}:
        response.headers["Retry-After"] = str(wait)
    return response


def _when(wait: int) -> str:
    """Write a number of seconds in words."""
    minutes = ceil(wait / 60)
    return "in a minute" if minutes <= 1 else f"in {minutes} minutes"


def _kept(status: int) -> list[tuple[str, str]]:
    """Return the fields of the failed form, for sending it again."""
    if request.method not in UNSAFE or status in {404, 405, 413}:
        return []
    if request.blueprint == "desk" and "own_page" not in g:
        return []  # never offer a member a form that another site has filled in
    try:
        fields = [*request.form.items(multi=True)]
    except RequestEntityTooLarge:  # the form was refused unread
        return []
    return [(name, CONTROL.sub("", text)) for name, text in fields if name != TOKEN]


def _http_error(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    wait = getattr(error, "retry_after", None)
    response = page(error.code, wait if isinstance(wait, int) else RETRY_SECONDS)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _storage_error(error: Exception) -> Response:
    """Return 503 if the database failed; 500 for our own errors."""
    if isinstance(error, (IntegrityError, ProgrammingError, DataError)):
        return _broken(error)
    log.error("database error", extra={"request_id": g.request_id, "error": type(error).__name__})
    return page(UNAVAILABLE)


def _broken(error: Exception) -> Response:
    """Log the error's places without values, and render the page."""
    log.error(
        "unhandled error",
        extra={
            "request_id": g.request_id,
            "error": type(error).__name__,
            "at_code": places(error.__traceback__),
        },
    )
    return page(500)
