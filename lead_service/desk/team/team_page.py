"""The team's page: members, their roles and passkeys; admins also invite and remove members."""

from flask import Response, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import Form
from wtforms.fields import SelectChoice  # type: ignore[attr-defined] # newer than the stubs
from wtforms.validators import InputRequired

from ... import clock
from ...accounts.audit_log import Actor, AuditKind
from ...accounts.members import Member, Role
from ...book.hosts.models import Host
from ...web.context import context
from ...web.fields import Choice, address, short_text
from ..auth import passkeys, sessions
from ..auth.sign_in import give_challenge, signed_out, take_challenge
from ..blueprint import admins_only, blueprint, desk_zone, write
from ..city_form import CityForm, city_in
from . import membership

REFUSED = "We couldn\u2019t add that passkey. Try again."


class RoleForm(Form):
    """The form of a member's role."""

    role = Choice(
        "Role",
        [InputRequired("Choose a role.")],
        choices=[SelectChoice(role.value, role.label) for role in Role],
    )


class InviteForm(RoleForm):
    """The form of an invitation: address, name and role."""

    email = address("Work email", required="Enter an email address.")
    name = short_text("Name", autocomplete="off")


class PasskeyForm(Form):
    """The form of a passkey's name."""

    passkey_name = short_text(
        "Name of the passkey", longest=60, required="Enter a name.", autocomplete="off"
    )


class NameForm(CityForm):
    """The form of a member's name and city."""

    own_name = short_text("Your name", required="Enter your name.", autocomplete="name")


@blueprint.get("/team/")
def team() -> str:
    """List the members."""
    return render_team()


@blueprint.post("/team/")
@admins_only
def invite() -> ResponseReturnValue:
    """Invite a member by email."""
    form = InviteForm(request.form)
    if not form.validate():
        return render_team(form), 422
    email, name, role = form.email.data or "", form.name.data or "", Role(form.role.data)

    def work(writing: Session, by: Actor) -> None:
        membership.invite(writing, context().settings, email, name=name, role=role, by=by)

    try:
        write(work)
    except membership.AlreadyIn:
        form.email.errors = ["This person is already a member."]
        return render_team(form), 422
    flash("Invited. We\u2019ll email them how to sign in.")
    return redirect(url_for(".team"), 303)


@blueprint.post("/team/<int:member_id>/role")
@admins_only
def change_role(member_id: int) -> ResponseReturnValue:
    """Change a member's role."""
    form = RoleForm(request.form)
    if not form.validate():
        abort(422)

    def work(writing: Session, by: Actor) -> None:
        membership.change_role(writing, _find_member(writing, member_id), Role(form.role.data), by)

    write(work)
    flash("Changed. It applies from their next click.")
    return redirect(url_for(".team"), 303)


@blueprint.post("/team/<int:member_id>/remove")
@admins_only
def remove_member(member_id: int) -> ResponseReturnValue:
    """Remove a member: end their sessions and list their open leads without an owner."""

    def work(writing: Session, by: Actor) -> membership.Removed:
        return membership.remove(writing, _find_member(writing, member_id), by)

    left = write(work)
    told = f"Removed and signed out. Open leads that now have no owner: {left.leads}."
    if left.was_host:
        told += " Visitors can no longer book them, and their calendar feed has stopped."
    flash(told)
    if not left.calls:
        return redirect(url_for(".team"), 303)
    flash(f"Calls to reassign: {left.calls}.")
    return redirect(url_for(".calls", view="left"), 303)


@blueprint.post("/team/<int:member_id>/sign-out")
@admins_only
def sign_out_member(member_id: int) -> ResponseReturnValue:
    """Sign a member out of every browser."""

    def work(writing: Session, by: Actor) -> None:
        membership.sign_out_everywhere(writing, _find_member(writing, member_id), by)

    write(work)
    flash("Signed out everywhere.")
    return redirect(url_for(".team"), 303)


@blueprint.post("/team/me/name")
def rename() -> ResponseReturnValue:
    """Change the name that the others see, and the zone in which the member reads times."""
    form = NameForm(request.form)
    if not form.validate():
        return render_team(naming=form), 422
    name, zone, own_id = form.own_name.data or "", form.zone, g.desk.member_id

    def work(writing: Session, by: Actor) -> None:
        member = _find_member(writing, own_id)
        membership.rename(writing, member, name, by)
        member.zone = zone

    write(work)
    flash("Saved.")
    return redirect(url_for(".team"), 303)


@blueprint.post("/team/me/sign-out")
def sign_out_everywhere() -> ResponseReturnValue:
    """Sign the member out of every browser, including this one."""
    own_id = g.desk.member_id
    write(
        lambda writing, by: membership.sign_out_everywhere(
            writing, _find_member(writing, own_id), by
        )
    )
    return signed_out()


@blueprint.post("/team/me/sessions/<int:session_id>/end")
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign the member out of another browser."""
    member = g.desk.member

    def work(writing: Session, by: Actor) -> bool:
        if not sessions.end_own_session(writing, member, session_id, by.at):
            return False
        by.note(writing, AuditKind.SIGNED_OUT, f"member {member.id}")
        return True

    if not write(work):
        abort(404)
    flash("Signed out in that browser.")
    return redirect(url_for(".team"), 303)


@blueprint.post("/team/me/passkeys/challenge")
def new_passkey_challenge() -> Response:
    """Return the options for creating a passkey in this browser."""
    settings, member = context().settings, g.desk.member
    with context().database.read() as reading:
        return give_challenge(
            lambda challenge: passkeys.creation_options(reading, settings, member, challenge)
        )


@blueprint.post("/team/me/passkeys/")
def add_passkey() -> ResponseReturnValue:
    """Store the passkey that this browser has created."""
    form, settings = PasskeyForm(request.form), context().settings
    challenge, answer = take_challenge(), request.form.get("credential", "")
    if not form.validate():
        return render_team(keying=form), 422
    name = form.passkey_name.data or ""

    try:
        write(lambda writing, by: passkeys.add(writing, settings, by, challenge, answer, name=name))
    except passkeys.Refused:
        return render_team(refusal=REFUSED), 422
    flash("Added. You can sign in with this passkey from now on.")
    return redirect(url_for(".team"), 303)


@blueprint.post("/team/me/passkeys/<int:passkey_id>/remove")
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    """Remove one of the member's own passkeys."""
    if not write(lambda writing, by: passkeys.remove(writing, passkey_id, by)):
        abort(404)
    flash("Removed. It doesn\u2019t sign you in anymore. You can delete it on your device too.")
    return redirect(url_for(".team"), 303)


@blueprint.errorhandler(membership.LastAdmin)
def _refuse_last_admin(_error: membership.LastAdmin) -> ResponseReturnValue:
    refusal = "There must be at least one admin. Make someone else an admin first."
    return render_team(refusal=refusal), 409


def render_team(
    form: InviteForm | None = None,
    naming: NameForm | None = None,
    keying: PasskeyForm | None = None,
    refusal: str = "",
) -> str:
    """Render the page, with a refused form or the reason why a change failed."""
    with context().database.read() as reading:
        people, last_seen = membership.members(reading), membership.last_seen(reading)
        own = passkeys.of_member(reading, g.desk.member)
        signed_in = sessions.of_member(reading, context().settings, g.desk.member, clock.now())
        own_name = {"own_name": g.desk.member.name, "city": city_in(desk_zone(reading))}
        hosts = {one.email.lower() for one in reading.scalars(select(Host))}
    return render_template(
        "desk/team/team.html",
        people=people,
        last_seen=last_seen,
        hosts=hosts,
        form=form or InviteForm(),
        naming=naming or NameForm(data=own_name),
        keying=keying or PasskeyForm(),
        passkeys=own,
        signed_in=signed_in,
        refusal=refusal,
    )


def _find_member(writing: Session, member_id: int) -> Member:
    member = writing.get(Member, member_id)
    return member if member and member.removed_at is None else abort(404)
