"""The commands about hosts: who takes calls, when, and what keeps them from it."""

from collections.abc import Callable

import click
from sqlalchemy.orm import Session

from .. import clock
from ..book.hosts import changes, command_options
from ..book.hosts.models import Host
from ..settings import Settings
from .open_database import open_database

WHOSE = click.argument("address")


@click.command()
@click.argument("address", required=False)
@click.option("--new", "is_new", is_flag=True, help="Make a host of ADDRESS.")
@click.option("--name", help="As visitors see it.")
@click.option("--email", help="Where the host's mails go from now on.")
@click.option("--zone", help="An IANA name, such as America/New_York.")
@click.option("--hours", help="Weekdays and times: mon-fri 09:00-17:00, sat 10:00-12:00.")
@click.option("--meeting-link", help="The link of the call; an empty one means: we call you.")
@click.option("--country", help="Whose public holidays are free, such as US; empty for none.")
@click.option("--region", help="Of that country, such as CA.")
@click.option("--active", "is_active", type=click.Choice(["yes", "no"]), help="Takes calls.")
@click.option("--duration", help="Minutes of a call.")
@click.option("--interval", help="Minutes from one start to the next.")
@click.option("--buffer-before", help="Minutes kept free before a call.")
@click.option("--buffer-after", help="Minutes kept free after a call.")
@click.option("--notice", help="Minutes between booking and call, at least.")
@click.option("--horizon-days", help="Days ahead that are offered, or none for no end.")
@click.option("--daily-limit", help="Calls a day, at most, or none for any number.")
def host(address: str | None, is_new: bool, **given: str | None) -> None:
    """Show all hosts, or change what is given of the one with mail address ADDRESS."""

    def work(session: Session, settings: Settings) -> str:
        if address is None and not any(text is not None for text in given.values()):
            return changes.describe_all(session, settings)
        if is_new:
            if address is None:
                raise ValueError("which host? --new needs an address")
            found = changes.add(session, address)
        else:
            found = changes.find_host(session, settings, address)
        changes.edit(session, found, given)
        return command_options.describe(found)

    _write(work)


@click.command("host-calendar")
@WHOSE
@click.option("--add", "url", help="The private address (ICS) of a calendar to read.")
@click.option("--remove", help="The label of one to read no more.")
@click.option("--label", default="Work", show_default=True, help="What the new one is called.")
def calendar(address: str, url: str | None, remove: str | None, label: str) -> None:
    """Show, add or remove calendars that say when the host with ADDRESS is busy."""

    def work(session: Session, host: Host, settings: Settings) -> str:
        if remove is not None:
            changes.remove_calendar(session, host, remove)
        if url is not None:
            changes.add_calendar(session, host, url, label, settings)
        return changes.describe_calendars(host, clock.now())

    _write_of(address, work)


@click.command("host-date")
@WHOSE
@click.argument("day")
@click.argument("windows", nargs=-1)
@click.option("--weekly", is_flag=True, help="Go back to the hours of every week.")
def date(address: str, day: str, windows: tuple[str, ...], weekly: bool) -> None:
    """Give one DAY hours of its own (09:00-12:00 14:00-16:00), or none: a day off."""

    def work(session: Session, host: Host, _settings: Settings) -> str:
        changes.set_date(session, host, command_options.day(day), None if weekly else windows)
        return command_options.describe(host)

    _write_of(address, work)


@click.command("host-away")
@WHOSE
@click.argument("first")
@click.argument("last", required=False)
@click.option("--note", default="", help="For the team's eyes.")
@click.option("--back", is_flag=True, help="Take back the time off that begins on FIRST.")
def away(address: str, first: str, last: str | None, note: str, back: bool) -> None:
    """Take no calls from FIRST to LAST, both included."""

    def work(session: Session, host: Host, _settings: Settings) -> str:
        since = command_options.day(first)
        if back:
            changes.remove_time_off(session, host, since)
        else:
            changes.add_time_off(session, host, since, command_options.day(last or first), note)
        return command_options.describe(host)

    _write_of(address, work)


def _write_of(address: str, work: Callable[[Session, Host, Settings], str]) -> None:
    """Change one host, and print what `work` says."""
    _write(
        lambda session, settings: work(
            session, changes.find_host(session, settings, address), settings
        )
    )


def _write(work: Callable[[Session, Settings], str]) -> None:
    """Print what `work` says; what is wrong is one line, and nothing is stored."""
    with open_database() as (settings, database):
        try:
            said = database.write(lambda session: work(session, settings))
        except ValueError as fault:
            raise click.UsageError(str(fault)) from None
    click.echo(said)


COMMANDS = (host, calendar, date, away)
