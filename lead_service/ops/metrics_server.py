"""Serve metrics for Prometheus, if METRICS_PORT is set: counts and times, without personal data.

Each web process counts its requests in files of a shared folder. The process that starts them
serves the sums, and counts from the database, at an address of its own, apart from the public one.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from wsgiref.simple_server import WSGIServer

from ..db.engine import Database
from ..settings import Settings

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # the Prometheus client reads it on import


@contextmanager
def serve_metrics(settings: Settings) -> Iterator[None]:
    """Serve metrics at METRICS_ADDRESS and METRICS_PORT, if that is set.

    Start the web processes inside this context, so that they inherit the shared folder.
    """
    if settings.metrics_port is None:
        yield
        return
    database = Database(settings.database_url)
    with tempfile.TemporaryDirectory(prefix="lead-service-metrics-") as folder:
        os.environ[SHARED] = folder
        server, thread = _start(settings.metrics_port, settings.metrics_address, database, folder)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            database.close()


def _start(port: int, address: str, database: Database, folder: str) -> tuple[WSGIServer, Thread]:
    # Import after setting SHARED: the client decides by it how to count.
    from prometheus_client import CollectorRegistry, start_http_server
    from prometheus_client.multiprocess import MultiProcessCollector

    from .metrics import DatabaseCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)
    registry.register(DatabaseCollector(database))
    return start_http_server(port, address, registry)
