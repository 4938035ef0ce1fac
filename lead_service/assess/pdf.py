"""The result as a PDF of two pages, in the words of its page: `result.typ` says how it looks.

It is tagged (PDF/UA-1), so that it can be listened to, and it holds no link that opens the result:
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

from ..publishing.site import Article
from . import text
from .scoring import Condition, Result, StepScore

if TYPE_CHECKING:
    import typst

TEMPLATE = Path(__file__).parent / "result.typ"
HUES = {
    "assess": "#3f5f8c",
    "clarify": "#1b6c70",
    "transform": "#77507f",
    "implement": "#626421",
    "organize": "#8a5a12",
    "nurture": "#3a6d48",
}  # the light ones of the site's tokens.css
INK = "#1f1a14"


@dataclass(frozen=True)
class Sheet:
    """What stands around a result: who made it, when it was answered, what to read and do next."""

    practice: str
    site: str  # its absolute address
    answered_at: datetime
    answered_on: str  # the same as a date in words
    articles: Sequence[Article]


def render(result: Result, sheet: Sheet) -> bytes:
    """Typeset a result; the same one gives the same bytes."""
    import typst  # its 7 MB wait for the first file that is asked for

    return typst.compile(
        TEMPLATE,
        root=TEMPLATE.parent,
        font_paths=_fonts(),
        sys_inputs={"result": json.dumps(_content(result, sheet))},
        pdf_standards="ua-1",
        timestamp=int(sheet.answered_at.timestamp()),
    )


@lru_cache(maxsize=1)
def _fonts() -> "typst.Fonts":
    """Find the two typefaces in their packages and nothing else, so that all machines agree."""
    import typst

    folders = [font_source_serif_pro.font_directory, font_source_sans_pro.font_directory]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


def _content(result: Result, sheet: Sheet) -> dict[str, Any]:
    """Gather what the template shows, as text and numbers only."""
    return {"hues": HUES} | _around(result, sheet) | _reading(result) | _plan(result)


def _around(result: Result, sheet: Sheet) -> dict[str, Any]:
    site = sheet.site.rstrip("/")
    return {
        "title": f"Self-assessment: {result.overall} of 100",
        "practice": sheet.practice,
        "site_shown": _shown(site),
        "book_url": f"{site}/book/",
        "book_shown": _shown(f"{site}/book"),
        "answered_on": sheet.answered_on,
        "articles": [
            {
                "title": article.title,
                "url": site + article.url,
                "why": f"{text.why_read(place, article.step, result)}, {article.minutes} minutes",
            }
            for place, article in enumerate(sheet.articles)
        ],
    }


def _reading(result: Result) -> dict[str, Any]:
    gap, engagement = result.widest_gap, result.outcome.engagement
    return {
        "headline": text.headline(result),
        "overall": result.overall,
        "band": {"name": result.band.name, "text": result.band.text},
        "steps": [_step(scored, is_gap=scored.step == gap) for scored in result.steps],
        "gap": gap
        and {
            "slug": gap.slug,
            "name": gap.name,
            "sentences": text.gap_sentences(result),
            "skipped": gap.skipped,
        },
        "outcome": {
            "title": text.outcome_title(result),
            "name": engagement and engagement.name,
            "why": result.outcome.why,
            "rule": text.rule(result),
            "takes": engagement and engagement.takes,
        },
    }


def _plan(result: Result) -> dict[str, Any]:
    return {
        "order": text.order(result),
        "far": [_condition(one) for one in result.furthest_from_true],
        "near": [_condition(one) for one in result.nearly_true],
        "held": [_condition(one) for one in result.already_true],
    }


def _shown(url: str) -> str:
    """Write an address as people do, without its scheme."""
    return url.partition("://")[2]


def _step(scored: StepScore, *, is_gap: bool) -> dict[str, Any]:
    step = scored.step
    width, svg = _letter(scored)
    return {
        "slug": step.slug,
        "name": step.name,
        "question": step.question,
        "percent": scored.percent,
        "is_gap": is_gap,
        "width": width,
        "svg": svg,
    }


def _condition(one: Condition) -> dict[str, Any]:
    return {
        "slug": one.step.slug,
        "name": one.step.name,
        "said": one.answer.text,
        "text": one.text,
        "reason": one.reason,
        "move": one.first_move,
    }


def _letter(scored: StepScore) -> tuple[int, str]:
    """Return a letter's width and its drawing: the signature's own, with its colors put in."""
    signature, letter = _signature(), scored.step.letter
    width = signature.forms[letter][0] + 2  # a unit on each side, for the line around it
    drawn = str(signature.letter(scored.step, scored.percent))
    inside = drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")]
    hue = HUES.get(scored.step.slug, INK)
    return width, (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -3 {width} 126"><style>'
        f".letter-full {{ fill: {hue} }}"
        f".letter-empty {{ fill: {hue}; fill-opacity: .12; stroke: {hue} }}"
        f"</style>{inside}</svg>"
    )


@lru_cache(maxsize=1)
def _signature() -> Any:
    """Load the one template that knows the letterforms."""
    environment = Environment(loader=PackageLoader("lead_service", "templates"), autoescape=True)
    return environment.get_template("signature.html").module
