"""How a person found us: the article, and the source from a link's parameters. Pure.

A source is the text of the parameters `utm_*` and `ref`, such as `utm_source=linkedin&ref=team`.
It may be in any script, so only "&" and "+" are percent-encoded: a letter would take up to twelve
characters. People forward links and type anything, so a value that may identify a person is
dropped: an address, a number as long as a phone number or a bank card's, a long text. `site.js`
passes values on by the same rule.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

PARAMETERS = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "ref")
BY_HAND = {"by_hand": "yes"}  # marks a source that a member typed, which links must not repeat
MARKS = frozenset(" ._~-&'+:/,()|")  # allowed beside letters and digits, except at the start
PERSONAL = range(9, 17)  # digits of a phone number or a bank card; dates have fewer, ads' ids more
BETWEEN_NUMBERS = re.compile(r"[^\W\d]|\|")  # letters, "_" and "|"; other marks are within numbers
LONGEST_VALUE = 60  # with "&" and "+" as three characters, as they are written
LONGEST = len(PARAMETERS) * 75  # characters of a source


@dataclass(frozen=True)
class Touch:
    """The time of an activity, and the article and source that led to it."""

    at: datetime
    article: str | None = None  # its slug
    source: str = ""

    @property
    def stored(self) -> dict[str, Any]:
        """Return the touch as JSON for storage and exports, with each parameter separately."""
        known = {"at": self.at.isoformat(), "article": self.article, **parameters(self.source)}
        return {name: value for name, value in known.items() if value}


def read_source(given: Mapping[str, str]) -> str:
    """Return the source from a link's parameters, in lower case; empty if they have none."""
    values = {name: _plain(given.get(name, "")) for name in PARAMETERS}
    return _written({name: value for name, value in values.items() if _is_kept(value)})


def source_by_hand(how: str) -> str:
    """Return the source of a lead from a member's description, such as the name of a fair."""
    source = read_source({"utm_source": written_by_hand(how)})
    return _written(BY_HAND | parameters(source)) if source else ""


def written_by_hand(how: str) -> str:
    """Turn a member's description into the value of a source: messe m\u00fcnchen."""
    words = [word for word in _plain(how).split() if "@" not in word]
    known = (letter if _is_letter(letter) or letter in MARKS else " " for letter in " ".join(words))
    text = "".join(known).replace("//", " ")
    for number in filter(_is_personal, BETWEEN_NUMBERS.split(text)):
        text = text.replace(number, " ")
    text = " ".join(text.split()).lstrip("".join(MARKS))
    while len(_encoded(text)) > LONGEST_VALUE:
        text = text[:-1]
    return text.rstrip()


def came_by(touch: Mapping[str, str] | None) -> tuple[str | None, str]:
    """Return the article and the source of a stored touch."""
    known = touch or {}
    names = (*BY_HAND, *PARAMETERS)
    return known.get("article"), _written({name: known[name] for name in names if name in known})


def for_links(source: str) -> dict[str, str]:
    """Return a source's parameters for links; empty for a source that a member typed."""
    values = parameters(source)
    return {} if BY_HAND.keys() & values.keys() else values


def _plain(text: str) -> str:
    """Normalize a source's text: lower case, composed, without zero-width characters."""
    seen = "".join(one for one in text if unicodedata.category(one) != "Cf")
    return " ".join(unicodedata.normalize("NFC", seen.lower()).split())


def _is_kept(value: str) -> bool:
    is_plain = "//" not in value and all(_is_letter(one) or one in MARKS for one in value)
    if not is_plain or not 0 < len(_encoded(value)) <= LONGEST_VALUE:
        return False
    is_anyone = any(map(_is_personal, BETWEEN_NUMBERS.split(value)))
    return not is_anyone and unicodedata.category(value[0])[0] in "LN"


def _is_personal(number: str) -> bool:
    return sum(map(str.isdecimal, number)) in PERSONAL


def _is_letter(character: str) -> bool:
    """Say whether a character is a letter, one of its accents, or a digit."""
    return unicodedata.category(character)[0] in "LM" or character.isdecimal()


def _written(values: Mapping[str, str]) -> str:
    return "&".join(f"{name}={_encoded(value)}" for name, value in values.items())


def _encoded(value: str) -> str:
    return value.replace("+", "%2B").replace("&", "%26").replace(" ", "+")


def parameters(source: str) -> dict[str, str]:
    """Return a source as {parameter: value}."""
    return dict(parse_qsl(source))


def name_of(source: str) -> str:
    """Return the name by which the funnel counts a source; empty if it has none."""
    values = parameters(source)
    return values.get("utm_source") or values.get("ref") or next(iter(values.values()), "")


def labeled(touch: Mapping[str, str]) -> str:
    """Describe a stored touch with labels: source linkedin, medium social."""
    values = [f"{label(name)} {touch[name]}" for name in PARAMETERS if name in touch]
    return ", ".join(values)


def label(parameter: str) -> str:
    """Return the label of a parameter: source for utm_source."""
    return parameter.removeprefix("utm_")


def in_words(touch: Mapping[str, str] | None) -> str:
    """Describe a stored touch without labels: "linkedin, social, spring"."""
    values = [touch[name] for name in PARAMETERS if name in touch] if touch else []
    return ", ".join(values)
