"""The real deliver process, with emails that need no application."""

import os

from lead_service import settings
from lead_service.emails import worker
from tests.support.app.outbox_helper import compose


def run(environment: dict[str, str], is_orphan: bool) -> None:
    """Deliver until a stop signal, or until the parent is gone."""
    os.environ.clear()
    os.environ.update(environment)
    worker.run(settings.load(), compose, parent_pid=os.getppid() + is_orphan)
