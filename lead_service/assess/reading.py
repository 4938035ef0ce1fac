"""Choose what a result recommends to read."""

from dataclasses import dataclass

from ..action_framework.counts import counted
from ..action_framework.types import Step
from ..publishing.site import Article, Published
from .diagnosis import Diagnosis

MOST_READING = 2


@dataclass(frozen=True)
class Reading:
    """A recommended article or page of the framework; `url` is root-relative."""

    title: str
    url: str
    why: str


def to_read(diagnosis: Diagnosis, published: Published) -> tuple[Reading, ...]:
    """Choose what to read in the visitor's phase, starting with the step to begin with.

    The founding article, the oldest, comes next. Articles for other phases are left out; for the
    step to begin with, the framework's own page replaces them.
    """
    phase = diagnosis.phase.id if diagnosis.phase else None
    founding = [one for one in published.articles[-1:] if one.fits(phase)]
    about = [(step, published.article_of(step.slug, phase)) for step in diagnosis.reading]
    found = {
        article.url: Reading(article.title, article.url, f"About {step.name}, {_time(article)}")
        for step, article in about
        if article
    }
    first = [
        found[article.url] if article else _framework_page(step) for step, article in about[:1]
    ]
    idea = [
        Reading(one.title, one.url, f"The idea behind these questions, {_time(one)}")
        for one in founding
    ]
    chosen: dict[str, Reading] = {}
    for one in (*first, *idea, *found.values()):
        chosen.setdefault(one.url, one)
    return tuple(chosen.values())[:MOST_READING]


def _framework_page(step: Step) -> Reading:
    title, url = f"{step.name}: {step.question}", f"/framework/{step.slug}/"
    return Reading(title, url, f"About {step.name}, from the framework")


def _time(article: Article) -> str:
    return f"{counted(article.minutes, 'minute')} to read"
