"""Floods of calls: those that one client or one hour has brought, and one button to cancel them."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ... import clock
from ...book import held
from ...web.context import context
from ..blueprint import acting, blueprint


@blueprint.get("/calls/floods/")
def floods() -> str:
    """List what may be floods of calls."""
    with context().database.read() as session:
        found = held.floods(session, clock.now())
        return render_template("desk/calls/floods.html", floods=found)


@blueprint.post("/calls/floods/")
def clear_flood() -> ResponseReturnValue:
    """Cancel the calls of one flood without an email to anybody."""
    cleared = held.clear(context().database, request.form.get("flood", ""), acting())
    flash(f"Canceled without an email: {cleared} call{'s' if cleared != 1 else ''}.")
    return redirect(url_for(".floods"), 303)
