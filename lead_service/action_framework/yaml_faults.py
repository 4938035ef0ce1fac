"""Explain YAML errors to people who don't program.

A YAML parser reports the rule in which it failed, often lines after the mistake. People
who edit texts make a handful of mistakes, which this module searches for from that line upward.
"""

import re
from collections.abc import Iterator
from itertools import takewhile

SAFE = (
    "write >- after the key's colon, and the text on the next line, indented,"
    " where any character is allowed"
)
MISFIT = (
    "does not fit the lines above it: compare its indentation with theirs, and look for"
    " a missing dash or colon"
)
UNCLOSED = (
    f"opens with a quotation mark: one more has to end the line, with none between; or {SAFE}"
)
COMMENT = 'a # begins a comment: put quotes around a text that has one, such as "#fff"'
SHOWN = "is shown as it is: leave out "
MARKED = re.compile(
    r"\*\*|\]\(|`|</?[A-Za-z][^<>]*>|&#?[a-z0-9]{2,};"
    r"|(?<![\w*_])(?P<mark>[*_])(?=\w)[^*_]*(?<=\w)(?P=mark)(?!\w)"
)
IN_QUOTES = f"put quotes around the text, or {SAFE}"
NEARBY = 3  # lines above the one at which the parser failed

_KEY = r" *(?:- )?[\w-]+: +"
_VALUE = rf"(?:{_KEY}| *- )"
_NAMED = re.compile(r"( *)- (?:id|slug): *(\S+)")
_QUOTED = re.compile(_VALUE + r"([\"'])(.*)")
_WHOLE = {
    '"': re.compile(r'(?:[^"\\]|\\.)*"\s*(?:#.*)?'),
    "'": re.compile(r"(?:[^']|'')*'\s*(?:#.*)?"),
}
_MISTAKES = (
    (_VALUE + r"[\[{](?:(?:[^#\"'\]}]|\"[^\"]*\"|'[^']*')*[\[{,:] *)?#", COMMENT),
    (r" *[^\S ]", "is indented with a tab or an unusual space: use plain spaces"),
    (r" *(?:- )?\w+:[^\s:]", "needs a space after the colon"),
    (_VALUE + r"[@%&*!`|](?!-?$)", f"a text can't begin with this character: {IN_QUOTES}"),
    (_KEY + r"- ", f"a text can't begin with a dash: {IN_QUOTES}"),
    (
        _VALUE + r"(?:\[(?!.*\]$)|\{(?!.*\}$))",
        f"opens a bracket and does not end with it: end it, {IN_QUOTES}",
    ),
    (
        _KEY + r"[^\"'\[{#>|].*:(?: |$)",
        f"a text on the same line as its key can't contain a colon: {IN_QUOTES}",
    ),
)


def explain(text: str, line: int) -> str:
    """Explain why a text isn't YAML, given the line, from 1, at which the parser failed."""
    lines = text.splitlines()
    mistakes = _mistakes(lines, min(line, len(lines)))
    number, wrong = next(mistakes, (min(line, len(lines)), MISFIT))
    return f"line {number}{_names(lines, number)}: {wrong}"


def _mistakes(lines: list[str], last: int) -> Iterator[tuple[int, str]]:
    """Yield lines and their mistakes, starting with unclosed quotes, which reach furthest."""
    for number, line in enumerate(lines[:last], 1):
        if (quoted := _QUOTED.match(line)) and not _WHOLE[quoted[1]].fullmatch(quoted[2]):
            yield number, UNCLOSED
    for number in range(last, max(0, last - 1 - NEARBY), -1):
        for pattern, wrong in _MISTAKES:
            if re.match(pattern, lines[number - 1]):
                yield number, wrong


def _names(lines: list[str], line: int) -> str:
    """Name the step, question and answer of a line, from the lines above it."""
    names: list[str] = []
    indent = len(lines[line - 1])
    for above in takewhile(lambda above: not re.match(r"\w", above), reversed(lines[:line])):
        if (named := _NAMED.match(above)) and len(named[1]) < indent:
            indent = len(named[1])
            names.insert(0, named[2])
    return f" ({', '.join(names)})" if names else ""


def mark_in(text: str) -> str:
    """Return the first mark of Markdown or HTML in a plain text, or nothing."""
    found = MARKED.search(text)
    return (found["mark"] or found[0]) if found else ""
