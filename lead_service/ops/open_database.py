"""Open what a command works on, or say in one line why it cannot."""

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
    """Open the database of the settings, and refuse one whose schema is not this program's.

    Makes neither folder nor database: a mistyped path is refused.
    """
    loaded = settings.load(create=False)
    with schema.opened(loaded) as database:
        if fault := schema.fault(database):
            raise click.ClickException(fault)
        yield _as_served(loaded, database), database


def _as_served(loaded: Settings, database: Database) -> Settings:
    """Have links lead to the web server that runs here, unless a setting says where they lead."""
    is_told = any(os.environ.get(name) for name in ("PUBLIC_URL", "PORT"))
    if not loaded.is_local or is_told or not (address := database.served_at()):
        return loaded
    return loaded.model_copy(update={"public_url": address})


def complain(*lines: str) -> None:
    """Say on stderr what is wrong, each line with the program's name."""
    for line in lines:
        click.echo(f"lead-service: {line}", err=True)


def email_argument(_context: click.Context, _option: click.Parameter, text: str) -> str:
    """Refuse what is not an email address before anything is opened."""
    try:
        capture.normalize_email(text.strip())
    except ValueError as fault:
        raise click.UsageError(f"{text!r} is not an email address: {fault}") from None
    return text.strip()
