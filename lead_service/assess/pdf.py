"""Render the result as a PDF, with the texts of its page and the layout of `result.typ`.

It is tagged (PDF/UA-1) for screen readers, and contains no link that opens the result:
people pass such files on.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import font_source_sans_pro
import font_source_serif_pro
from jinja2 import Environment, PackageLoader

from ..action_framework.types import BEST
from ..call_types import CallTypes
from ..palette import LIGHT
from . import text
from .diagnosis import Diagnosis
from .reading import Reading
from .scoring import Condition, StepScore

if TYPE_CHECKING:
    import typst

TEMPLATE = Path(__file__).parent / "result.typ"
_templates = Environment(loader=PackageLoader("lead_service", "templates"), autoescape=True)


@dataclass(frozen=True)
class Sheet:
    """The context of a result: the practice, the date, what to read and do next."""

    practice: str
    site: str  # its absolute address
    answered_at: datetime
    answered: str  # such as "answered on March 31, 2026"
    reading: Sequence[Reading]
    calls: CallTypes
    with_answers: bool = False  # include the visitor's answers


def render(diagnosis: Diagnosis, sheet: Sheet) -> bytes:
    """Typeset a result; the same one gives the same bytes."""
    import typst  # imported here, because it takes 7 MB of memory

    return typst.compile(
        TEMPLATE,
        root=TEMPLATE.parent,
        font_paths=_fonts(),
        sys_inputs={"result": json.dumps(_content(diagnosis, sheet))},
        pdf_standards="ua-1",
        timestamp=int(sheet.answered_at.timestamp()),
    )


@lru_cache(maxsize=1)
def _fonts() -> "typst.Fonts":
    """Load the two typefaces from their packages only, so that all machines give the same PDF."""
    import typst

    folders = [font_source_serif_pro.font_directory, font_source_sans_pro.font_directory]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


def _content(diagnosis: Diagnosis, sheet: Sheet) -> dict[str, Any]:
    """Return the template's content, as text and numbers only."""
    return (
        {"colors": LIGHT} | _around(diagnosis, sheet) | _result(diagnosis) | _plan(diagnosis, sheet)
    )


def _around(diagnosis: Diagnosis, sheet: Sheet) -> dict[str, Any]:
    site, engagement = sheet.site.rstrip("/"), diagnosis.outcome.engagement
    call = sheet.calls.fitting(engagement.slug if engagement else None)
    book = site + sheet.calls.address(call)
    return {
        "title": f"Self-assessment: {diagnosis.overall} out of 100",
        "practice": sheet.practice,
        "word": _word(diagnosis) if sheet.practice.startswith("ACTION ") else "",
        "site_shown": _shown(site),
        "call": f"{call.name}, {call.minutes} minutes. {call.description}",
        "book_url": book,
        "book_shown": _shown(book.rstrip("/")),
        "answered": sheet.answered,
        "score_is": text.what_the_score_is(diagnosis, "the"),
        "articles": [
            {"title": one.title, "url": site + one.url, "why": one.why} for one in sheet.reading
        ],
    }


def _result(diagnosis: Diagnosis) -> dict[str, Any]:
    first, engagement = diagnosis.begin_with, diagnosis.outcome.engagement
    return {
        "headline": diagnosis.headline,
        "beside": diagnosis.beside,
        "begin_with": first and {"slug": first.slug, "name": first.name},
        "because": diagnosis.reasons[0] if first else "",
        "overall": diagnosis.overall,
        "band": {"name": diagnosis.band.name, "text": diagnosis.band.text},
        "steps": [_step(scored) for scored in diagnosis.scores],
        "outcome": {
            "label": "We recommend" if engagement else "Our advice",
            "title": text.outcome_title(diagnosis),
            "why": diagnosis.outcome.why,
            "how": text.how_to_close(diagnosis),
        },
    }


def _plan(diagnosis: Diagnosis, sheet: Sheet) -> dict[str, Any]:
    shown, rest = diagnosis.to_do[: text.SHOWN], diagnosis.to_do[text.SHOWN :]
    return {
        "list_title": text.list_title(diagnosis),
        "opening": diagnosis.opening,
        "first": [_condition(one, sheet) for one in shown],
        "rest": [_condition(one, sheet) for one in rest],
        "true": [_condition(one, sheet) for one in diagnosis.true],
    }


def _shown(url: str) -> str:
    """Write an address for people, without its scheme."""
    return url.partition("://")[2]


def _step(scored: StepScore) -> dict[str, Any]:
    step = scored.step
    return {
        "slug": step.slug,
        "name": step.name,
        "percent": scored.percent,
        "svg": _letter(scored),
    }


def _condition(one: Condition, sheet: Sheet) -> dict[str, Any]:
    return {
        "slug": one.step.slug,
        "name": one.step.name,
        "state": "" if one.is_open or one.level == BEST else "Nearly true",
        "said": one.answer.text if sheet.with_answers else None,
        "text": one.text,
        "reason": one.reason,
        "move": one.first_move,
    }


def _letter(scored: StepScore) -> str:
    """Return the drawing of one letter of the signature, in its color."""
    drawn = str(_signature().letter(scored.step))
    hue = LIGHT.get(f"hue-{scored.step.slug}", LIGHT["ink"])
    return drawn.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" fill="{hue}" ', 1)


def _word(diagnosis: Diagnosis) -> str:
    """Return the word of the practice's wordmark, in ink."""
    steps = [scored.step for scored in diagnosis.scores]
    return str(_signature().drawing(steps, {step.slug: LIGHT["ink"] for step in steps}))


def _signature() -> Any:
    """Return the macros of the template that has the letterforms."""
    return _templates.get_template("signature.html").module
