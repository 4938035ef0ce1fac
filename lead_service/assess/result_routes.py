"""The pages of a result, for anyone with its link: PDF, email, sharing, deletion, disowning."""

from collections.abc import Callable
from datetime import datetime
from itertools import cycle
from typing import Any

from flask import Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from .. import clock
from ..action_framework.counts import counts
from ..action_framework.types import Framework
from ..formats import long_date
from ..web import carried
from ..web.context import context
from ..web.pages import compressed
from ..web.security import are_too_many_messages, limit_posts
from . import earlier, emails, models, pdf, text
from .blueprint import blueprint, find_or_404, remember
from .diagnosis import Diagnosis, diagnose
from .forms import MailForm
from .reading import to_read

FILE = "self-assessment.pdf"
BY_SHARED_RESULT = "ref=shared-result"  # the source of visitors from a shared result


@blueprint.get("/<token>/result/")
def result(token: str) -> ResponseReturnValue:
    """Show the result, without asking for an address."""
    assessment, framework = find_or_404(token)
    if assessment.completed_at is None:
        return redirect(url_for(".resume", token=token), 303)
    diagnosis = diagnose(framework, assessment.answers, assessment.phase)
    with context().database.read() as session:
        since = earlier.since(session, assessment, diagnosis)
    return render_template(
        "assess/result.html",
        diagnosis=diagnosis,
        since=since,
        token=token,
        reading=to_read(diagnosis, context().published),
        calls=context().offered_calls(),
        **_of_version(framework, assessment),
    )


@blueprint.get("/example/")
@compressed
def example() -> str:
    """Show an example of a result, for visitors who want to see one first."""
    framework = context().published.framework
    return render_template(
        "assess/shared.html",
        diagnosis=_of_example(framework),
        token=None,
        words=text,
        counts=counts(framework),
        is_current=True,
    )


@blueprint.get("/example.pdf")
@limit_posts  # typesetting costs as much as a post
def example_pdf() -> Response:
    """Return the PDF of the example."""
    diagnosis = _of_example(context().published.framework)
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return _file(diagnosis, today, "an example with made-up answers")


def _of_example(framework: Framework) -> Diagnosis:
    """Diagnose made-up answers: a stuck pilot that lacks a business case and its users' support."""
    levels = {"assess": (2, 2), "clarify": (1, 0), "transform": (2, 2), "organize": (1, 1)}
    answers = {
        question.id: question.answers[level].id
        for step in framework.steps
        for question, level in zip(step.questions, cycle(levels.get(step.slug, (2, 1))))
    }
    stuck = next((phase.id for phase in framework.phases if "stuck" in phase.id), None)
    return diagnose(framework, answers, stuck)


def _of_version(framework: Framework, assessment: models.Assessment) -> dict[str, Any]:
    """Return the template's values about the version of the questions."""
    return {
        "words": text,
        "framework": framework,
        "counts": counts(framework),
        "is_current": framework.version == context().published.framework.version,
        "completed_at": assessment.completed_at,
    }


@blueprint.get("/<token>/result/save/")
def save(token: str) -> ResponseReturnValue:
    """Show the page with PDF, email, share link and deletion."""
    return _render_save(token, MailForm())


@blueprint.get("/<token>/result.pdf")
@limit_posts  # typesetting costs as much as a post
def result_pdf(token: str) -> ResponseReturnValue:
    """Return the result as a PDF, with the visitor's answers on request."""
    assessment, framework = find_or_404(token)
    if assessment.completed_at is None:
        return redirect(url_for(".resume", token=token), 303)
    diagnosis = diagnose(framework, assessment.answers, assessment.phase)
    day = long_date(assessment.completed_at, "UTC")
    with_answers = request.args.get("answers") == "1"
    return _file(diagnosis, assessment.completed_at, f"answered on {day}", with_answers)


def _file(
    diagnosis: Diagnosis, at: datetime, answered: str, with_answers: bool = False
) -> Response:
    """Render a result as a PDF response."""
    settings = context().settings
    sheet = pdf.Sheet(
        practice=settings.practice_name,
        site=settings.public_url,
        answered_at=at,
        answered=answered,
        reading=to_read(diagnosis, context().published),
        calls=context().offered_calls(),
        with_answers=with_answers,
    )
    headers = {
        "Content-Disposition": f'attachment; filename="{FILE}"',
        "X-Robots-Tag": "noindex",
    }
    return Response(pdf.render(diagnosis, sheet), mimetype="application/pdf", headers=headers)


@blueprint.post("/<token>/result/mail")
@limit_posts
def mail_submit(token: str) -> ResponseReturnValue:
    """Email the result, and create or update the lead of the address."""
    form, now = MailForm(request.form), clock.now()
    if not form.validate():
        return _render_save(token, form)
    flood = are_too_many_messages()

    def send(session: Session, assessment: models.Assessment) -> None:
        emails.send_result(session, context().settings, assessment, form, now, flood=flood)

    _change(token, send)
    later = 1 if form.is_suspect or flood else None
    return redirect(url_for(".mailed", token=token, later=later), 303)


@blueprint.get("/<token>/result/mailed/")
def mailed(token: str) -> str:
    """Confirm that we'll send the email."""
    find_or_404(token)
    return render_template("assess/mailed.html", token=token)


@blueprint.post("/<token>/result/share")
@limit_posts
def share(token: str) -> ResponseReturnValue:
    """Open a share link; a second request keeps it."""
    secret = context().settings.secret
    _change(token, lambda _, assessment: models.share(assessment, secret))
    return redirect(url_for(".save", token=token, _anchor="share"), 303)


@blueprint.post("/<token>/result/unshare")
@limit_posts
def unshare(token: str) -> ResponseReturnValue:
    """Close the share link for good; the next one is different."""
    _change(token, lambda _, assessment: models.unshare(assessment))
    return redirect(url_for(".save", token=token, _anchor="share"), 303)


@blueprint.post("/<token>/delete")
@limit_posts
def delete(token: str) -> ResponseReturnValue:
    """Delete the answers and their links; a second request gives the same response."""

    def work(session: Session) -> None:
        if assessment := models.find_assessment(session, token, lock=True):
            session.delete(assessment)

    context().database.write(work)
    answer = redirect(url_for(".deleted"), 303)
    # The browser must not show it again, or start the same assessment from its first page.
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@blueprint.get("/deleted/")
def deleted() -> str:
    """Confirm that everything was deleted."""
    return render_template("assess/deleted.html")


def _change(token: str, work: Callable[[Session, models.Assessment], object]) -> None:
    """Change a complete assessment under a lock, in one transaction; otherwise 404."""

    def locked(session: Session) -> None:
        assessment = models.find_assessment(session, token, lock=True)
        if assessment is None or assessment.completed_at is None:
            abort(404)
        work(session, assessment)

    context().database.write(locked)


def _render_save(token: str, form: MailForm) -> ResponseReturnValue:
    assessment, _ = find_or_404(token)
    if assessment.completed_at is None:
        return redirect(url_for(".resume", token=token), 303)
    settings = context().settings
    shared = models.share_token(assessment, settings.secret)
    page = render_template(
        "assess/save.html",
        token=token,
        form=form,
        share_link=shared and settings.link(url_for(".shared", token=shared)),
    )
    return page, 422 if form.errors else 200


@blueprint.get("/shared/<token>/")
def shared(token: str) -> str:
    """Show a shared result; a revoked link gives 404 like an unknown one.

    With the link in the owner's email, it is shown as theirs.
    """
    is_own = "own" in request.args
    with context().database.read() as session:
        assessment = models.find_shared(session, token) or abort(404)
        framework = models.framework_of(session, assessment)
    if is_own:
        remember(assessment)  # like the email's own link: for the lead's address only
    else:
        carried.remember(source=BY_SHARED_RESULT)
    if assessment.completed_at is None:
        return render_template("assess/incomplete.html")
    return render_template(
        "assess/shared.html",
        diagnosis=diagnose(framework, assessment.answers, assessment.phase),
        token=token,
        is_own=is_own,
        **_of_version(framework, assessment),
    )


@blueprint.get("/not-me/<token>/")
def not_me(token: str) -> str:
    """Ask for confirmation, or say that nothing is left; a GET erases nothing."""
    key = emails.key_of(token, context().settings.secret) or abort(404)
    with context().database.read() as session:
        is_held = emails.submission(session, key) is not None
    return render_template("assess/not_me.html", token=token, is_held=is_held)


@blueprint.post("/not-me/<token>/")
@limit_posts
def not_me_submit(token: str) -> ResponseReturnValue:
    """Erase that one submission; a second request finds nothing."""
    settings, now = context().settings, clock.now()
    key = emails.key_of(token, settings.secret) or abort(404)
    context().database.write(lambda session: emails.disown(session, settings, key, now))
    return redirect(url_for(".not_me", token=token), 303)
