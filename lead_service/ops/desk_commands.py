"""The commands about people at the desk: a first link when nobody is in, and whatever a desk
without an admin needs.
"""

import json
from collections.abc import Callable
from typing import TypeVar

import click
from sqlalchemy.orm import Session

from .. import clock
from ..accounts.audit_log import Actor
from ..accounts.members import Member, Role
from ..settings import Settings
from .open_database import AS_JSON, email_argument, open_database

NO_SUCH_MEMBER = "not a member; `lead-service desk members` lists them"
ROLE = click.Choice([role.value for role in Role])
WHO = click.argument("address", callback=email_argument)

Result = TypeVar("Result")


@click.group()
def desk() -> None:
    """Let people in to the desk, and out of it."""


@desk.command()
@WHO
@click.option("--new", "is_new", is_flag=True, help="Make a member of ADDRESS first.")
def link(address: str, is_new: bool) -> None:
    """Print a one-time sign-in link for ADDRESS.

    An address that is not a member's needs --new. A new member is an admin until an admin has
    signed in, and a plain member after that.
    """
    from ..desk.auth import links

    def work(session: Session, settings: Settings) -> tuple[Member, str]:
        return links.link_by_command(session, settings, address, clock.now(), may_add=is_new)

    unknown = f"{address} is not a member; check it, or make them one with --new"
    member, made = _write(work, unknown)
    click.echo(f"{member.email}: {member.role}", err=True)
    click.echo(made)


@desk.command("members")
@AS_JSON
def members(as_json: bool) -> None:
    """List who may use the desk."""
    from ..desk.team.membership import everybody

    with open_database() as (_, database), database.read() as session:
        found = everybody(session)
    if as_json:
        rows = [
            {
                "email": member.email,
                "role": member.role,
                "name": member.name,
                "last_seen": seen.isoformat() if seen else None,
            }
            for member, seen in found
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for member, _ in found:
            click.echo(f"{member.email}  {member.role}  {member.name}".rstrip())


@desk.command()
@WHO
@click.option("--name", default="", help="As the others see them.")
@click.option("--role", type=ROLE, default=Role.MEMBER.value)
def invite(address: str, name: str, role: str) -> None:
    """Let ADDRESS in, and mail them where the desk is."""
    from ..desk.team import membership

    def work(session: Session, settings: Settings) -> None:
        by = Actor(clock.now())
        membership.invite(session, settings, address, name=name.strip(), role=Role(role), by=by)

    _write(work)
    click.echo(f"{address}: invited")


@desk.command("role")
@WHO
@click.argument("role", type=ROLE)
def change_role(address: str, role: str) -> None:
    """Make ADDRESS an admin, or a member."""
    from ..desk.team import membership

    def work(session: Session, _settings: Settings) -> None:
        member = membership.get_member(session, address)
        membership.change_role(session, member, Role(role), Actor(clock.now()))

    _write(work)
    click.echo(f"{address}: {role}")


@desk.command()
@WHO
def remove(address: str) -> None:
    """Remove ADDRESS: sign them out at once and take their name off their open leads."""
    from ..desk.team import membership

    def work(session: Session, _settings: Settings) -> None:
        membership.remove(session, membership.get_member(session, address), Actor(clock.now()))

    _write(work)
    click.echo(f"{address}: removed")


@desk.command("sign-out")
@WHO
def sign_out(address: str) -> None:
    """Sign ADDRESS out wherever they are signed in."""
    from ..desk.team import membership

    def work(session: Session, _settings: Settings) -> None:
        member = membership.get_member(session, address)
        membership.sign_out_everywhere(session, member, Actor(clock.now()))

    _write(work)
    click.echo(f"{address}: signed out")


def _write(work: Callable[[Session, Settings], Result], unknown: str = NO_SUCH_MEMBER) -> Result:
    """Do a change of the team, or say in one line why it cannot be."""
    from ..desk.team.membership import AlreadyIn, LastAdmin, NoSuchMember

    with open_database() as (loaded, database):
        try:
            return database.write(lambda session: work(session, loaded))
        except NoSuchMember:
            raise click.ClickException(unknown) from None
        except AlreadyIn:
            raise click.ClickException("this address is already a member") from None
        except LastAdmin:
            raise click.ClickException(
                "no one else is an admin; make someone an admin first"
            ) from None
