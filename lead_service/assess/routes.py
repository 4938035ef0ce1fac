"""The self-assessment: the phase, then a page for each step, each saved as it is sent."""

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import clock
from ..action_framework.counts import counts
from ..action_framework.types import Framework, Step
from ..web.context import context
from ..web.security import limit_posts
from ..web.tokens import new_token
from . import models, result_routes, scoring
from .blueprint import blueprint, find_or_404
from .forms import phase_form, step_form

__all__ = ["blueprint", "result_routes"]  # all that answers under it


@blueprint.get("/")
def begin() -> ResponseReturnValue:
    """Ask for the phase; nothing is stored before it is answered.

    `since` in the address is the token of a result that is to be compared with the new one.
    The browser may cache the page for visitors who go back to it, with what it opens.
    """
    framework = context().published.framework
    page = _phase_page(framework, phase_form(framework), submission=new_token())
    return page, {"Cache-Control": "private, max-age=0"}


@blueprint.post("/")
@limit_posts
def begin_submit() -> ResponseReturnValue:
    """Start an assessment with the phase, or with the answers to the questions of an article."""
    framework = context().published.framework
    submission = request.form.get("submission") or new_token()
    if "step" in request.form:
        return _begin_with_step(framework, submission)
    form = phase_form(framework, request.form)
    if not form.validate():
        return _phase_page(framework, form, submission=submission), 422
    return _start(framework, submission, {}, phase=form.data["phase"])


def _begin_with_step(framework: Framework, submission: str) -> ResponseReturnValue:
    wanted = request.form.getlist("step")
    step = _step(framework, wanted[0]) or framework.steps[0]
    form = step_form(framework, step, request.form)
    if not form.validate() or [step.slug] != wanted:
        page = _step_page(framework, step, form, submission=submission)
        return page, 422
    return _start(framework, submission, form.data)


def _start(
    framework: Framework, submission: str, answers: dict[str, str], phase: str | None = None
) -> ResponseReturnValue:
    token = models.first_token(context().settings.secret, framework, submission)
    came_from, now, since = _came_from(), clock.now(), request.form.get("since") or ""

    def work(session: Session) -> str | None:
        earlier, lead_id = models.to_repeat(session, since) if since else (None, None)
        return models.start(
            session,
            framework,
            answers,
            came_from,
            now,
            token,
            phase=phase,
            earlier=earlier,
            lead_id=lead_id,
        )

    return _onward(token, context().database.write(work))


@blueprint.get("/<token>/")
def resume(token: str) -> ResponseReturnValue:
    """Go on where the visitor stopped: the first open page, or the result."""
    assessment, framework = find_or_404(token)
    if assessment.completed_at:
        return _onward(token, None)
    return _onward(token, models.next_page(framework, assessment.answers, assessment.phase))


@blueprint.get(f"/<token>/{models.PHASE_PAGE}/")
def phase(token: str) -> str:
    """Show the question of the phase, with the answer given so far."""
    assessment, framework = find_or_404(token)
    _ = framework.phases or abort(404)
    form = phase_form(framework, phase=assessment.phase)
    return _phase_page(framework, form, assessment, token)


@blueprint.post(f"/<token>/{models.PHASE_PAGE}/")
@limit_posts
def phase_submit(token: str) -> ResponseReturnValue:
    """Save the phase and go on to the first open step."""
    assessment, framework = find_or_404(token)
    _ = framework.phases or abort(404)
    form = phase_form(framework, request.form)
    if not form.validate():
        return _phase_page(framework, form, assessment, token), 422
    return _save(token, framework, {}, form.data["phase"])


@blueprint.get("/<token>/<slug>/")
def step(token: str, slug: str) -> ResponseReturnValue:
    """Show one step with the answers given so far; the phase decides its words and comes first."""
    assessment, framework = find_or_404(token)
    framework = framework.in_phase(assessment.phase)
    step = _step(framework, slug) or abort(404)
    following = models.next_page(framework, {}, assessment.phase)
    if following == models.PHASE_PAGE and assessment.completed_at is None:
        return _onward(token, following)
    form = step_form(framework, step, answers=assessment.answers)
    return _step_page(framework, step, form, assessment, token)


@blueprint.post("/<token>/<slug>/")
@limit_posts
def step_submit(token: str, slug: str) -> ResponseReturnValue:
    """Save one step's answers and go on to the next open page."""
    assessment, framework = find_or_404(token)
    framework = framework.in_phase(assessment.phase)
    step = _step(framework, slug) or abort(404)
    form = step_form(framework, step, request.form)
    if not form.validate():
        return _step_page(framework, step, form, assessment, token), 422
    return _save(token, framework, form.data)


def _save(
    token: str, framework: Framework, answers: dict[str, str], phase: str | None = None
) -> ResponseReturnValue:
    now = clock.now()

    def work(session: Session) -> str | None:
        if (assessment := models.find_assessment(session, token, lock=True)) is None:
            abort(404)
        models.answer(assessment, framework, answers, now, phase=phase)
        if assessment.completed_at:
            return None
        return models.next_page(framework, assessment.answers, assessment.phase)

    return _onward(token, context().database.write(work))


def _onward(token: str, following: str | None) -> ResponseReturnValue:
    """Lead on to a page, or to the result when no question is open."""
    if following is None:
        return redirect(url_for(".result", token=token), 303)
    return redirect(url_for(".step", token=token, slug=following), 303)


def _step(framework: Framework, slug: str) -> Step | None:
    return next((step for step in framework.steps if step.slug == slug), None)


def _came_from() -> str | None:
    """Return the article that led here, when it is one of ours."""
    slug = request.form.get("from") or request.args.get("from") or ""
    return slug if context().published.article(slug) else None


def _phase_page(framework, form, assessment=None, token=None, **first) -> str:
    since = request.values.get("since", "")
    return _page("phase", framework, form, assessment, token, since=since, **first)


def _step_page(framework, step, form, assessment=None, token=None, **first) -> str:
    return _page("step", framework, form, assessment, token, step=step, **first)


def _page(name, framework, form, assessment, token, **more) -> str:
    """Render a page that asks; `submission` and `came_from` go along with a first one."""
    return render_template(
        f"assess/{name}.html",
        framework=framework,
        counts=counts(framework),
        form=form,
        token=token,
        progress=scoring.progress(framework, assessment.answers if assessment else {}),
        **{"came_from": _came_from(), "submission": None} | more,
    )
