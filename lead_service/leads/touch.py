"""What led a person to us: the article, and the source as links name it. Pure.

A source is the text of the parameters `utm_*` and `ref`, such as `utm_source=linkedin&ref=team`.
People forward links and type what they like, so of a value that may say who someone is nothing
is kept: an address, a long number, a long text. `site.js` passes values on by the same rule.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

PARAMETERS = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "ref")
VALUE = re.compile(r"[a-z0-9][a-z0-9 ._~-]{0,59}")
MOST_DIGITS = 8  # a date has eight, a phone number more
LONGEST_VALUE = 60
LONGEST = len(PARAMETERS) * 75  # characters of a source


@dataclass(frozen=True)
class Touch:
    """One moment in which a person did something, and what had led them there."""

    at: datetime
    article: str | None = None  # its slug
    source: str = ""
    by_hand: bool = False  # a member typed the source: links must not repeat it

    @property
    def stored(self) -> dict[str, Any]:
        """Return it as a lead keeps it and files show it, the parameters one by one."""
        known = {"at": self.at.isoformat(), "article": self.article, "by_hand": self.by_hand}
        known |= parameters(self.source)
        return {name: value for name, value in known.items() if value}


def read_source(given: Mapping[str, str]) -> str:
    """Return the source that parameters name, in lower case; empty when they name none."""
    said = {name: given.get(name, "").strip().lower() for name in PARAMETERS}
    return urlencode({name: value for name, value in said.items() if _is_kept(value)})


def written_by_hand(how: str) -> str:
    """Write how a member knows someone as a source can hold it: messe munchen."""
    words = [word for word in how.lower().split() if "@" not in word]
    plain = unicodedata.normalize("NFKD", " ".join(words)).encode("ascii", "ignore").decode()
    said = " ".join(re.sub(r"[^a-z0-9._~-]+", " ", plain).split()).lstrip("._~- ")
    return said[:LONGEST_VALUE].rstrip()


def came_by(touch: Mapping[str, str] | None) -> tuple[str | None, str]:
    """Return the article and the source of a stored touch."""
    known = touch or {}
    return known.get("article"), read_source(known)


def _is_kept(value: str) -> bool:
    return bool(VALUE.fullmatch(value)) and sum(map(str.isdigit, value)) <= MOST_DIGITS


def parameters(source: str) -> dict[str, str]:
    """Return a source as {parameter: value}."""
    return dict(parse_qsl(source))


def name_of(source: str) -> str:
    """Return the one word that the funnel counts a source by; empty when there is none."""
    said = parameters(source)
    return said.get("utm_source") or said.get("ref") or next(iter(said.values()), "")


def labeled(touch: Mapping[str, str]) -> str:
    """Say what a stored touch names, with what it is: source linkedin, medium social."""
    said = [f"{label(name)} {touch[name]}" for name in PARAMETERS if name in touch]
    return ", ".join(said)


def label(parameter: str) -> str:
    """Name a parameter for people: utm_source is the source."""
    return parameter.removeprefix("utm_")


def in_words(touch: Mapping[str, str] | None) -> str:
    """Say what a stored touch names as its source: "linkedin, social, spring"."""
    said = [touch[name] for name in PARAMETERS if name in touch] if touch else []
    return ", ".join(said)
