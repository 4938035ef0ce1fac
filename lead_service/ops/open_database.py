"""Open the database for a command, or fail with one line that says why."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from .. import settings
from ..db import schema
from ..db.engine import Database
from ..leads import capture
from ..settings import Settings

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


@contextmanager
def open_database() -> Iterator[tuple[Settings, Database]]:
    """Open the configured database; refuse one with another version of the schema.

    Creates neither folder nor database, so a mistyped path is an error.
    """
    loaded = settings.load(create=False)
    with schema.opened(loaded) as database:
        if fault := schema.fault(database):
            raise click.ClickException(fault)
        yield _as_served(loaded, database), database


def _as_served(loaded: Settings, database: Database) -> Settings:
    """Let links lead to the web server that runs here, unless PUBLIC_URL or PORT is set."""
    is_told = any(os.environ.get(name) for name in ("PUBLIC_URL", "PORT"))
    if not loaded.is_local or is_told or not (address := database.served_at()):
        return loaded
    return loaded.model_copy(update={"public_url": address})


def complain(*lines: str) -> None:
    """Write error lines to stderr, each with the program's name."""
    for line in lines:
        click.echo(f"lead-service: {line}", err=True)


def email_argument(_context: click.Context, _option: click.Parameter, text: str) -> str:
    """Check an argument that must be an email address, before opening the database."""
    try:
        capture.normalize_email(text.strip())
    except ValueError as fault:
        raise click.UsageError(f"{text!r} is not an email address: {fault}") from None
    return text.strip()
