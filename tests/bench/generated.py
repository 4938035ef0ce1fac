"""Generate docs with any number of articles of one size, the same ones every time."""

import random
from datetime import date, timedelta
from pathlib import Path
from shutil import copytree

from tests.support.built_site import ROOT

STEPS = ("assess", "clarify", "transform", "implement", "organize", "nurture")
SOURCE = ROOT / "docs/insights/why-most-ai-pilots-never-scale.md"
PARAGRAPHS = 28  # about a thousand words
FIRST_DAY = date(2010, 1, 1)


def articles(folder: Path, count: int, extra: str = "step: {step}") -> None:
    """Write articles of a thousand words; `extra` is further front matter."""
    chance = random.Random(7)
    text = SOURCE.read_text("utf-8").split("\n---\n", 1)[1]
    paragraphs = [one for one in text.split("\n\n") if one[:1].isalpha() and "](" not in one]
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        body = "\n\n".join(
            f"## Part {place // 3 + 1} of {number}\n\n{chance.choice(paragraphs)}"
            if place % 3 == 0
            else chance.choice(paragraphs)
            for place in range(PARAGRAPHS)
        )
        more = extra.format(step=STEPS[number % 6])
        (folder / f"generated-{number}.md").write_text(
            f"---\ntitle: Generated article {number}\ndescription: What article {number} says.\n"
            f"date: {FIRST_DAY + timedelta(days=5 * number)}\n{more}\n---\n{body}\n",
            "utf-8",
        )


def docs(folder: Path, count: int) -> Path:
    """Copy the site's own docs and add generated articles to them."""
    copytree(ROOT / "docs", folder)
    articles(folder / "insights", count)
    return folder
