"""Count requests by route, a template without tokens, and never by address."""

import time

from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram

from ...logs import method_of

REQUESTS = Counter(
    "lead_service_requests",
    "Requests answered by the service, by the class of their status.",
    ["route", "method", "status"],
)
SECONDS = Histogram(
    "lead_service_request_seconds",
    "How long the service took to answer.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def install(app: Flask) -> None:
    """Count every request that reaches the application, so no static files."""
    app.before_request(_start)
    app.after_request(_count)


def _start() -> None:
    g.counted_from = time.perf_counter()


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "none"
    REQUESTS.labels(route, method_of(request), f"{response.status_code // 100}xx").inc()
    if "counted_from" in g:
        SECONDS.labels(route).observe(time.perf_counter() - g.counted_from)
    return response
