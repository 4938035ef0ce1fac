"""Load and check the questions that the sales team may ask on a call (`assess/brief.yml`).

The file is for the team only and never published, but it has to fit the framework: the site's
build, the service and `lead-service check` refuse a file that doesn't.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .types import BEST, Framework
from .yaml_source import Fault, Source, decode, parse_yaml

WORDS, GENERAL = "words", "general"  # the parts of the file beside questions
SHORTEST_WORD = 3  # letters: a shorter word would match too many others
_LEVELS = tuple(str(level) for level in range(BEST + 1))
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


class SuggestionsError(ValueError):
    """The file has faults: one line for each, with its line and key."""


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
    """Read and load the file; raise SuggestionsError, also for an unreadable file."""
    try:
        return load_suggestions(path.read_bytes(), framework)
    except OSError as error:
        raise SuggestionsError(f"cannot be read: {error.strerror}") from None


def load_suggestions(file: str | bytes, framework: Framework) -> Suggestions:
    """Load the file, with suggestions for every question of the framework at every level.

    Each question id has a list of `{levels: [0, 1], ask: "…"}`, `words` has a list of words
    for question ids and step slugs, and `general` lists some of these words. `SuggestionsError`
    lists every fault.
    """
    try:
        source = parse_yaml(file if isinstance(file, str) else decode(file))
    except ValueError as error:
        raise SuggestionsError(str(error)) from error
    asks: dict[tuple[str, int], str] = {}
    words: dict[str, tuple[str, ...]] = {}
    general: set[str] = set()
    faults = [
        *source.faults,
        *_collect_asks(source, framework, asks),
        *_collect_words(source, framework, words),
        *_collect_general(source, words, general),
    ]
    if faults:
        raise SuggestionsError(source.describe(faults))
    return Suggestions(asks, words, frozenset(general))


def _collect_asks(
    source: Source, framework: Framework, into: dict[tuple[str, int], str]
) -> Iterator[Fault]:
    """Collect the suggestions into a dictionary, and yield faults."""
    data = source.data if isinstance(source.data, dict) else {}
    known = [question.id for question in framework.questions]
    for id in data:
        if id not in (*known, WORDS, GENERAL):
            yield (id,), "the framework has no such question"
    for id in known:
        items = data.get(id)
        if not isinstance(items, list) or not items:
            yield (id,), "needs at least one suggestion"
            continue
        for place, item in enumerate(items):
            yield from _item(item, (id, place), into)
            yield from _misfits(item, (id, place), framework)
        unasked = [str(level) for level in range(BEST + 1) if (id, level) not in into]
        if unasked:
            yield (id,), f"has nothing to ask at level {', '.join(unasked)}"


def _item(item: object, path: tuple[str, int], into: dict[tuple[str, int], str]) -> Iterator[Fault]:
    if not isinstance(item, dict) or set(item) != {"levels", "ask"}:
        yield path, "must hold levels and ask, and no other key"
        return
    if not isinstance(item["ask"], str) or not item["ask"].strip():
        yield (*path, "ask"), "is empty"
    levels = item["levels"]
    if not isinstance(levels, list) or not all(level in _LEVELS for level in levels):
        yield (*path, "levels"), f"must be a list of levels, 0 to {BEST}: [0, 1]"
        return
    for level in map(int, levels):
        if (path[0], level) in into:
            yield (*path, "levels"), f"level {level} has a suggestion already"
        into[path[0], level] = str(item["ask"]).strip()


def _misfits(item: object, path: tuple[str, int], framework: Framework) -> Iterator[Fault]:
    """Yield phrases that some phase forbids, since suggestions are for all phases."""
    ask = str(item.get("ask", "")) if isinstance(item, dict) else ""
    for phase in framework.phases:
        for phrase in phase.never_says:
            if phrase.casefold() in ask.casefold():
                yield (*path, "ask"), f"says “{phrase}”, which does not fit phase {phase.id}"


def _collect_words(
    source: Source, framework: Framework, into: dict[str, tuple[str, ...]]
) -> Iterator[Fault]:
    """Collect the words; every step must have some."""
    data = source.data.get(WORDS) if isinstance(source.data, dict) else None
    if not isinstance(data, dict):
        yield (WORDS,), "must hold lists of words, by the id of a question or the slug of a step"
        return
    ids = {step.slug: {one.id for one in step.questions} for step in framework.steps}
    for key, words in data.items():
        if key not in ids and not any(key in questions for questions in ids.values()):
            yield (WORDS, key), "the framework has no such question or step"
        if not isinstance(words, list) or not words:
            yield (WORDS, key), "must be a list of words: [budget, fund]"
            continue
        for place, word in enumerate(words):
            if not isinstance(word, str) or not _WORD.fullmatch(word):
                yield (
                    (WORDS, key, place),
                    f"must be lower-case letters and single spaces, {SHORTEST_WORD} or more",
                )
            elif word in words[:place]:
                yield (WORDS, key, place), f"{word} stands here already"
        into[key] = tuple(map(str, words))
    for slug, questions in ids.items():
        if not data.keys() & {slug, *questions}:
            yield (WORDS,), f"has no words for {slug} or one of its questions"


def _collect_general(
    source: Source, words: Mapping[str, tuple[str, ...]], into: set[str]
) -> Iterator[Fault]:
    data = source.data.get(GENERAL) if isinstance(source.data, dict) else None
    if not isinstance(data, list):
        yield (GENERAL,), "must be a list of words that stand under words, or []"
        return
    known = {word for listed in words.values() for word in listed}
    for place, word in enumerate(data):
        if word in known:
            into.add(word)
        else:
            yield (GENERAL, place), "does not stand under words"
