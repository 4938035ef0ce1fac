"""The self-assessment: six pages, each saved as it is sent, and the result."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .. import clock
from ..context import context
from ..security import limiter, posts_limit
from . import mailing, models, scoring
from .forms import MailForm, step_form
from .framework import Framework, Step

blueprint = Blueprint("assess", __name__, url_prefix="/assessment")


@blueprint.get("/")
def begin() -> str:
    """Show the first step; nothing is stored before it is answered."""
    framework = context().published.framework
    step = framework.steps[0]
    return _step_page(framework, step, step_form(framework, step), came_from=_came_from())


@blueprint.post("/")
@limiter.limit(posts_limit)
def begin_submit() -> ResponseReturnValue:
    """Start an assessment with the answers of one step: the first, or that of an article."""
    framework = context().published.framework
    step = _step(framework, request.form.get("step", framework.steps[0].slug))
    form = step_form(framework, step, request.form)
    if not form.validate():
        return _step_page(framework, step, form, came_from=_came_from()), 422
    came_from, answers, now = _came_from(), form.data, clock.now()
    token, _ = context().database.write(
        lambda session: models.start(session, framework, answers, came_from, now)
    )
    return redirect(url_for(".resume", token=token), 303)


@blueprint.get("/<token>/")
def resume(token: str) -> ResponseReturnValue:
    """Go on where the visitor stopped: the first open step, or the result."""
    assessment, framework = _find(token)
    following = models.next_step(framework, assessment.answers)
    if following is None:
        return redirect(url_for(".result", token=token), 303)
    return redirect(url_for(".step", token=token, slug=following), 303)


@blueprint.get("/<token>/<slug>/")
def step(token: str, slug: str) -> str:
    """Show one step with the answers given so far."""
    assessment, framework = _find(token)
    form = step_form(framework, _step(framework, slug), answers=assessment.answers)
    return _step_page(framework, _step(framework, slug), form, assessment, token)


@blueprint.post("/<token>/<slug>/")
@limiter.limit(posts_limit)
def step_submit(token: str, slug: str) -> ResponseReturnValue:
    """Save one step's answers and go on to the next open one."""
    assessment, framework = _find(token)
    form = step_form(framework, _step(framework, slug), request.form)
    if not form.validate():
        return _step_page(framework, _step(framework, slug), form, assessment, token), 422
    answers, now = form.data, clock.now()

    def save(session) -> None:
        if (assessment := models.find(session, token, lock=True)) is None:
            abort(404)
        models.answer(assessment, framework, answers, now)

    context().database.write(save)
    return redirect(url_for(".resume", token=token), 303)


@blueprint.get("/<token>/result/")
def result(token: str) -> ResponseReturnValue:
    """Show what the answers come to; no address is asked for."""
    return _result_page(token, MailForm())


@blueprint.post("/<token>/result/mail")
@limiter.limit(posts_limit)
def mail_submit(token: str) -> ResponseReturnValue:
    """Mail the result's link, and make or extend the one lead of that address."""
    form = MailForm(request.form)
    if not form.validate():
        return _result_page(token, form)
    settings, now = context().settings, clock.now()
    link = settings.link(url_for(".result", token=token))

    def send(session) -> None:
        if (assessment := models.find(session, token, lock=True)) is None:
            abort(404)
        mailing.send_result(session, settings, assessment, form, link, now)

    context().database.write(send)
    return redirect(url_for(".mailed", token=token), 303)


@blueprint.get("/<token>/result/mailed/")
def mailed(token: str) -> str:
    """Say that the mail is on its way."""
    _find(token)
    return render_template("assess/mailed.html", token=token)


def _find(token: str) -> tuple[models.Assessment, Framework]:
    """Find an assessment and its framework; unknown, expired and deleted look the same."""
    with context().database.read() as session:
        assessment = models.find(session, token)
        if assessment is None:
            abort(404)
        return assessment, models.framework_of(session, assessment)


def _step(framework: Framework, slug: str) -> Step:
    return next((step for step in framework.steps if step.slug == slug), None) or abort(404)


def _came_from() -> str | None:
    """Return the article that led here, when it is one of ours."""
    slug = request.form.get("from") or request.args.get("from") or ""
    return slug if context().published.article(slug) else None


def _step_page(framework, step, form, assessment=None, token=None, came_from=None) -> str:
    answers = assessment.answers if assessment else {}
    return render_template(
        "assess/step.html",
        framework=framework,
        step=step,
        form=form,
        token=token,
        came_from=came_from,
        progress=scoring.progress(framework, answers),
    )


def _result_page(token: str, form: MailForm) -> ResponseReturnValue:
    assessment, framework = _find(token)
    if models.next_step(framework, assessment.answers):
        return redirect(url_for(".resume", token=token), 303)
    page = render_template(
        "assess/result.html",
        framework=framework,
        result=scoring.score(framework, assessment.answers),
        token=token,
        form=form,
        articles=_articles(scoring.score(framework, assessment.answers)),
        is_current=framework.version == context().published.framework.version,
        completed_at=assessment.completed_at,
    )
    return page, 422 if form.errors else 200


def _articles(result: scoring.Result) -> list:
    """Choose what to read: the article of the widest gap, then the founding one, the oldest."""
    published = context().published
    chosen = [published.article_of(result.widest_gap.slug)] if result.widest_gap else []
    chosen += list(published.articles[-1:])
    return list(dict.fromkeys(article for article in chosen if article))
