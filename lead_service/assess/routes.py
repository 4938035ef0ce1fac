"""The pages of the self-assessment: the phase, then each step, saved one by one."""

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import clock
from ..action_framework.counts import counts
from ..action_framework.types import Framework, Step
from ..web import carried
from ..web.context import context
from ..web.pages import compressed
from ..web.security import limit_posts
from ..web.tokens import new_token
from . import models, result_routes, scoring
from .blueprint import blueprint, find_or_404
from .forms import phase_form, step_form

__all__ = ["blueprint", "result_routes"]  # importing both registers all routes


@blueprint.get("/")
@compressed
def begin() -> ResponseReturnValue:
    """Show the question of the phase; nothing is stored before it is answered.

    The browser may cache the page, with its submission token, for visitors who go back to it.
    """
    return _first_page(url_for(".begin_submit", sent=1)), {"Cache-Control": "private, max-age=0"}


@blueprint.post("/")
@limit_posts
def begin_submit() -> ResponseReturnValue:
    """Start an assessment with the phase, or with the answers from an article's questions."""
    if "step" in request.form:
        return _begin_with_step()
    return _begin_with_phase(url_for(".begin_submit", sent=1))


@blueprint.get("/<token>/again/", defaults={"is_shared": False})
@blueprint.get("/shared/<token>/again/", defaults={"is_shared": True})
def again(token: str, is_shared: bool) -> str:
    """Show the question of the phase again; the new result is compared with this link's."""
    with context().database.read() as session:
        find = models.find_shared if is_shared else models.find_assessment
        _ = find(session, token) or abort(404)
    return _first_page(url_for(".again_submit", token=token, is_shared=is_shared, sent=1))


@blueprint.post("/<token>/again/", defaults={"is_shared": False})
@blueprint.post("/shared/<token>/again/", defaults={"is_shared": True})
@limit_posts
def again_submit(token: str, is_shared: bool) -> ResponseReturnValue:
    """Start an assessment that repeats another, even if that one was deleted meanwhile."""
    action = url_for(".again_submit", token=token, is_shared=is_shared, sent=1)
    return _begin_with_phase(action, repeats=token)


def _first_page(action: str) -> str:
    framework = context().published.framework
    return _phase_page(framework, phase_form(framework), action, submission=new_token())


def _begin_with_phase(action: str, repeats: str | None = None) -> ResponseReturnValue:
    framework = context().published.framework
    submission = request.form.get("submission") or new_token()
    form = phase_form(framework, request.form)
    if not form.validate():
        return _phase_page(framework, form, action, submission=submission), 422
    return _start(framework, submission, {}, phase=form.data["phase"], repeats=repeats)


def _begin_with_step() -> ResponseReturnValue:
    framework = context().published.framework
    submission = request.form.get("submission") or new_token()
    wanted = request.form.getlist("step")
    step = _step(framework, wanted[0]) or framework.steps[0]
    form = step_form(framework, step, request.form)
    if not form.validate() or [step.slug] != wanted:
        page = _step_page(framework, step, form, submission=submission)
        return page, 422
    return _start(framework, submission, form.data)


def _start(
    framework: Framework,
    submission: str,
    answers: dict[str, str],
    phase: str | None = None,
    repeats: str | None = None,
) -> ResponseReturnValue:
    token = models.first_token(context().settings.secret, framework, submission)
    came_from, source, now = carried.article(), carried.source(), clock.now()

    def work(session: Session) -> str | None:
        return models.start(
            session,
            framework,
            answers,
            came_from,
            now,
            token,
            source=source,
            phase=phase,
            repeats=repeats,
        )

    return _onward(token, context().database.write(work))


@blueprint.get("/<token>/")
def resume(token: str) -> ResponseReturnValue:
    """Redirect to the first open page, or to the result."""
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
    return _phase_page(framework, form, url_for(".phase_submit", token=token), assessment, token)


@blueprint.post(f"/<token>/{models.PHASE_PAGE}/")
@limit_posts
def phase_submit(token: str) -> ResponseReturnValue:
    """Save the phase and go on to the first open step."""
    assessment, framework = find_or_404(token)
    _ = framework.phases or abort(404)
    form = phase_form(framework, request.form)
    if not form.validate():
        action = url_for(".phase_submit", token=token)
        return _phase_page(framework, form, action, assessment, token), 422
    return _save(token, framework, {}, asked_in=None, phase=form.data["phase"])


@blueprint.get("/<token>/<slug>/")
def step(token: str, slug: str) -> ResponseReturnValue:
    """Show one step with the answers given so far; the phase decides its words and comes first."""
    assessment, framework = find_or_404(token)
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
    step = _step(framework, slug) or abort(404)
    form = step_form(framework, step, request.form)
    if not form.validate():
        return _step_page(framework, step, form, assessment, token), 422
    asked_in = request.form.get("phase", assessment.phase)  # the phase may have changed since
    is_known = asked_in in [one.id for one in framework.phases]
    return _save(token, framework, form.data, asked_in=asked_in if is_known else None)


def _save(
    token: str,
    framework: Framework,
    answers: dict[str, str],
    asked_in: str | None,
    phase: str | None = None,
) -> ResponseReturnValue:
    now = clock.now()

    def work(session: Session) -> str | None:
        if (assessment := models.find_assessment(session, token, lock=True)) is None:
            abort(404)
        models.answer(assessment, framework, answers, now, asked_in=asked_in, phase=phase)
        if assessment.completed_at:
            return None
        return models.next_page(framework, assessment.answers, assessment.phase)

    return _onward(token, context().database.write(work))


def _onward(token: str, following: str | None) -> ResponseReturnValue:
    """Redirect to a page, or to the result if no question is open."""
    if following is None:
        return redirect(url_for(".result", token=token), 303)
    return redirect(url_for(".step", token=token, slug=following), 303)


def _step(framework: Framework, slug: str) -> Step | None:
    return next((step for step in framework.steps if step.slug == slug), None)


def _phase_page(framework, form, action, assessment=None, token=None, **first) -> str:
    return _page("phase", framework, form, assessment, token, action=action, **first)


def _step_page(framework, step, form, assessment=None, token=None, **first) -> str:
    return _page("step", framework, form, assessment, token, step=step, **first)


def _page(name, framework, form, assessment, token, **more) -> str:
    """Render a page of questions; `submission` is the token of a first page."""
    return render_template(
        f"assess/{name}.html",
        framework=framework,
        counts=counts(framework),
        form=form,
        token=token,
        phase=assessment and assessment.phase,
        progress=scoring.progress(framework, assessment.answers if assessment else {}),
        **{"submission": None} | more,
    )
