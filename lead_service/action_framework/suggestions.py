"""Load and check the questions that the sales team may ask on a call (`assess/brief.yml`).

The file is for the team only and never published, but it has to fit the framework: the site's
build, the service and `lead-service check` refuse a file that doesn't.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field, TypeAdapter
from pydantic_core import PydanticCustomError

from . import checks
from .types import BEST, Framework, Text, frozen
from .yaml_source import DataError, Fault, parse_yaml

WORDS, GENERAL = "words", "general"  # the parts of the file beside questions
SHORTEST_WORD = 3  # letters: a shorter word would match too many others
_APOSTROPHE = re.compile("['\u2019]")
_CLAUSE = re.compile("[.,;:!?()\u2013\u2014]|\\b(?:but|although|though|however)\\b| - ")
_DENIED = re.compile(
    r"\b(?:no|not|never|neither|nor|without|isnt|arent|wasnt|dont|doesnt|didnt)\b.*"
    r"\b(?:problem|issue|concern|question|obstacle|blocker|object)s?\b"
    r"|\bneither is\b|\b(?:is|are) not it\b"
    r"|\b(?:settled|approved|signed (?:it |them )?off|solved|sorted|in place|is there|banned"
    r"|(?:is|are) (?:fine|good|great|ok|okay)|loves?|happy with|from day one)\b"
)
_WORD = re.compile(rf"(?=.{{{SHORTEST_WORD},40}}\Z)[a-z]+( [a-z]+)*")


def _check_word(word: str) -> str:
    if not _WORD.fullmatch(word):
        raise PydanticCustomError(
            "word", f"must be lower-case letters and single spaces, {SHORTEST_WORD} or more"
        )
    return word


Word = Annotated[str, AfterValidator(_check_word)]


@frozen
class Ask:
    """A suggested question, and the levels of the answers after which to ask it."""

    levels: Annotated[tuple[Annotated[int, Field(ge=0, le=BEST)], ...], Field(min_length=1)]
    ask: Text


_asks: TypeAdapter[Any] = TypeAdapter(Annotated[tuple[Ask, ...], Field(min_length=1)])
_words: TypeAdapter[Any] = TypeAdapter(dict[str, Annotated[tuple[Word, ...], Field(min_length=1)]])
_general: TypeAdapter[Any] = TypeAdapter(tuple[str, ...])


@dataclass(frozen=True)
class Suggestions:
    """Suggested questions, by (question id, level of the answer), and words that select them.

    `words` are by the id of a question or the slug of a step; the `general` ones among them mean
    little alone. `fault` says why the file could not be used.
    """

    asks: Mapping[tuple[str, int], str] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    general: frozenset[str] = frozenset()
    fault: str = ""

    def named_in(self, text: str, *, denied: bool = False) -> dict[str, "Wrote"]:
        """Map the ids and slugs whose words occur in a text to the visitor's words.

        With `denied`, only clauses count that deny a problem; otherwise only the others.
        """
        text = " ".join(_APOSTROPHE.sub("", text.casefold()).split())
        text = ". ".join(one for one in _CLAUSE.split(text) if bool(_DENIED.search(one)) == denied)
        found: dict[str, Wrote] = {}
        for key, words in self.words.items():
            for is_general in (False, True):
                of_kind = [word for word in words if (word in self.general) == is_general]
                match = re.search(rf"\b({'|'.join(of_kind)})\w{{0,20}}", text)
                if of_kind and match:
                    found.setdefault(key, Wrote(match[0], is_general))
        return found


class Wrote(NamedTuple):
    """A visitor's own word, and whether it means little alone."""

    word: str
    is_general: bool


def read_suggestions(path: Path, framework: Framework) -> Suggestions:
    """Read and load the file; raise DataError, also for an unreadable file."""
    try:
        return load_suggestions(path.read_bytes(), framework)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}") from None


def load_suggestions(file: str | bytes, framework: Framework) -> Suggestions:
    """Load the file, with suggestions for every question of the framework at every level.

    Each question id has a list of `{levels: [0, 1], ask: "…"}`, `words` has a list of words
    for question ids and step slugs, and `general` lists some of these words. `DataError`
    lists every fault.
    """
    source = parse_yaml(file)
    data = source.data if isinstance(source.data, dict) else {}
    known, faults = [question.id for question in framework.questions], list(source.faults)
    for key in data:
        if key not in (*known, WORDS, GENERAL):
            faults.append(((key,), "the framework has no such question"))
    asks = {id: checks.part(_asks, id, data, faults) for id in known}
    words = checks.part(_words, WORDS, data, faults)
    general = checks.part(_general, GENERAL, data, faults)
    faults += _faults_in_asks(asks, framework)
    if words:
        faults += _faults_in_words(words, general, framework)
    if faults:
        raise DataError(source.describe(faults))
    by_level = {(id, level): one.ask for id in asks for one in asks[id] for level in one.levels}
    return Suggestions(by_level, words, frozenset(general))


def _faults_in_asks(asks: Mapping[str, Sequence[Ask]], framework: Framework) -> Iterator[Fault]:
    """Find levels with no suggestion or several, and phrases that a phase forbids."""
    for id, suggested in asks.items():
        seen: set[int] = set()
        for place, one in enumerate(suggested):
            for level in one.levels:
                if level in seen:
                    yield (id, place, "levels"), f"level {level} already has a suggestion"
                seen.add(level)
            for phase in framework.phases:
                for phrase in phase.never_says:
                    if phrase.casefold() in one.ask.casefold():
                        unfit = f"says “{phrase}”, which does not fit phase {phase.id}"
                        yield (id, place, "ask"), unfit
        unasked = [str(level) for level in range(BEST + 1) if level not in seen]
        if suggested and unasked:
            yield (id,), f"has nothing to ask at level {', '.join(unasked)}"


def _faults_in_words(
    words: Mapping[str, Sequence[str]], general: Sequence[str], framework: Framework
) -> Iterator[Fault]:
    """Find words of unknown questions, repeated words, and steps without words."""
    ids = {step.slug: {one.id for one in step.questions} for step in framework.steps}
    for key, listed in words.items():
        if key not in ids and not any(key in questions for questions in ids.values()):
            yield (WORDS, key), "the framework has no such question or step"
        for place, word in enumerate(listed):
            if word in listed[:place]:
                yield (WORDS, key, place), f"{word} is here twice"
    for slug, questions in ids.items():
        if not words.keys() & {slug, *questions}:
            yield (WORDS,), f"has no words for {slug} or one of its questions"
    known = {word for listed in words.values() for word in listed}
    for place, word in enumerate(general):
        if word not in known:
            yield (GENERAL, place), "is not under words"
