"""The self-assessment: six pages, each saved as it is sent."""

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import clock
from ..action_framework.types import Framework, Step
from ..web.context import context
from ..web.security import limit_posts
from ..web.tokens import new_token
from . import models, result_routes, scoring
from .blueprint import blueprint, find_or_404
from .forms import step_form

__all__ = ["blueprint", "result_routes"]  # all that answers under it


@blueprint.get("/")
def begin() -> ResponseReturnValue:
    """Show the first step; nothing is stored before it is answered.

    The browser may keep the page for whoever goes back to it, with what it opens.
    """
    framework = context().published.framework
    step, submission = framework.steps[0], new_token()
    form = step_form(framework, step)
    page = _step_page(framework, step, form, came_from=_came_from(), submission=submission)
    return page, {"Cache-Control": "private, max-age=0"}


@blueprint.post("/")
@limit_posts
def begin_submit() -> ResponseReturnValue:
    """Start an assessment with the answers of one step: the first, or that of an article."""
    framework = context().published.framework
    wanted = request.form.getlist("step") or [framework.steps[0].slug]
    step = _step(framework, wanted[0]) or framework.steps[0]
    form = step_form(framework, step, request.form)
    came_from, submission = _came_from(), request.form.get("submission") or new_token()
    if not form.validate() or [step.slug] != wanted:
        page = _step_page(framework, step, form, came_from=came_from, submission=submission)
        return page, 422
    token = models.first_token(context().settings.secret, framework, submission)
    answers, now = form.data, clock.now()
    following = context().database.write(
        lambda session: models.start(session, framework, answers, came_from, now, token)
    )
    return _onward(token, following)


@blueprint.get("/<token>/")
def resume(token: str) -> ResponseReturnValue:
    """Go on where the visitor stopped: the first open step, or the result."""
    assessment, framework = find_or_404(token)
    return _onward(token, models.next_step(framework, assessment.answers))


@blueprint.get("/<token>/<slug>/")
def step(token: str, slug: str) -> str:
    """Show one step with the answers given so far."""
    assessment, framework = find_or_404(token)
    step = _step(framework, slug) or abort(404)
    form = step_form(framework, step, answers=assessment.answers)
    return _step_page(framework, step, form, assessment, token)


@blueprint.post("/<token>/<slug>/")
@limit_posts
def step_submit(token: str, slug: str) -> ResponseReturnValue:
    """Save one step's answers and go on to the next open one."""
    assessment, framework = find_or_404(token)
    step = _step(framework, slug) or abort(404)
    form = step_form(framework, step, request.form)
    if not form.validate():
        return _step_page(framework, step, form, assessment, token), 422
    answers, now = form.data, clock.now()

    def save(session: Session) -> str | None:
        if (assessment := models.find_assessment(session, token, lock=True)) is None:
            abort(404)
        models.answer(assessment, framework, answers, now)
        return models.next_step(framework, assessment.answers)

    return _onward(token, context().database.write(save))


def _onward(token: str, following: str | None) -> ResponseReturnValue:
    """Lead on to a step, or to the result when none is open."""
    if following is None:
        return redirect(url_for(".result", token=token), 303)
    return redirect(url_for(".step", token=token, slug=following), 303)


def _step(framework: Framework, slug: str) -> Step | None:
    return next((step for step in framework.steps if step.slug == slug), None)


def _came_from() -> str | None:
    """Return the article that led here, when it is one of ours."""
    slug = request.form.get("from") or request.args.get("from") or ""
    return slug if context().published.article(slug) else None


def _step_page(framework, step, form, assessment=None, token=None, **first) -> str:
    answers = assessment.answers if assessment else {}
    return render_template(
        "assess/step.html",
        framework=framework,
        step=step,
        form=form,
        token=token,
        progress=scoring.progress(framework, answers),
        **first,
    )
