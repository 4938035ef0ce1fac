"""Read a YAML file with the line of every key, so that each fault can be located.

The editors of these files aren't programmers. So every value stays the text that was
written (`No` isn't false, `1e3` isn't a number), a repeated key is a fault instead of a silent
loss, and aliases, which only programmers use, are refused. A YAML parser reports the rule in which
it failed, often lines after the mistake, so `explain` searches for common mistakes from that line
upward.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import yaml

KeyPath = tuple[str | int, ...]
Fault = tuple[KeyPath, str]

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


class DataError(ValueError):
    """A data file has faults: one line for each, with its line and key."""

    def lines(self, file: object) -> list[str]:
        """Return the faults, each with the name of the file."""
        return [f"{file}: {line}" for line in str(self).splitlines()]


_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # ten times faster, if it is installed


@dataclass(frozen=True)
class Source:
    """The content of a file: its data, the line of each key, and its faults so far."""

    data: object = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def describe(self, faults: Iterable[Fault]) -> str:
        """Write one line per fault, in the order of the file: line, names, key, message."""
        rows = sorted({(self._line(path), _written(path), text, path) for path, text in faults})
        written = (f"{self._place(path)}: {key}: {text}" for _, key, text, path in rows)
        return "\n".join(" ".join(row.split()) for row in written)  # a name may have line breaks

    def _line(self, path: KeyPath) -> int:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def _place(self, path: KeyPath) -> str:
        names = ", ".join(self._names(path))
        return f"line {self._line(path)}" + (f" ({names})" if names else "")

    def _names(self, path: KeyPath) -> Iterable[str]:
        here: Any = self.data
        for key in path:
            try:
                here = here[key]
            except (KeyError, IndexError, TypeError):
                return
            name = isinstance(here, dict) and (here.get("slug") or here.get("id"))
            if isinstance(name, str):
                yield name


def decode(file: bytes) -> str:
    """Return the text of a file; `DataError` names the line when it is not UTF-8."""
    try:
        return file.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = file.count(b"\n", 0, error.start) + 1
        raise DataError(f"line {line}: is not UTF-8: choose this encoding when saving") from error


def parse_yaml(text: str | bytes) -> Source:
    """Read one YAML document; `DataError` names the line when it is not YAML at all."""
    text = text if isinstance(text, str) else decode(text)
    if unprintable := yaml.reader.Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, unprintable.start()) + 1
        raise DataError(f"line {line}: contains an invisible character, {unprintable[0]!r}")
    try:
        node = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise DataError(explain(text, line)) from error
    except yaml.YAMLError as error:
        raise DataError(f"line 1: this is not YAML: {str(error).splitlines()[0]}") from error
    reader = _Reader(text.splitlines())
    data = reader.plain(node, ()) if node else None
    return Source(data, reader.lines, reader.faults)


class _Reader:
    """Turn nodes into plain data, with the line of each key and mistakes that YAML accepts."""

    def __init__(self, text: Sequence[str]) -> None:
        self.text = text
        self.lines: dict[KeyPath, int] = {}
        self.faults: list[Fault] = []
        self._seen: set[int] = set()

    def plain(self, node: yaml.Node, path: KeyPath) -> object:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._seen:
            self.faults.append((path, "is an alias (*name): write the text out instead"))
            return ""
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(one, (*path, place)) for place, one in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        self._look_for_a_comment(node, path)
        if mark := mark_in(node.value):
            self.faults.append((path, f"{SHOWN}{mark}"))
        return node.value

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, object]:
        data: dict[str, object] = {}
        for key_node, value in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            here = (*path, key)
            if key in data:
                self.faults.append((here, f"this key appears twice, again on line {line}"))
            if ":" in key:
                self.faults.append((here, "needs a space after the colon"))
            self.lines.setdefault(here, line)
            data[key] = self.plain(value, here)
        return data

    def _look_for_a_comment(self, node: yaml.Node, path: KeyPath) -> None:
        """Refuse a comment after a text: "we are # 1" would lose its end."""
        is_plain = isinstance(node, yaml.ScalarNode) and not node.style
        if node.value and is_plain:  # in quotes and blocks, # is an ordinary character
            line = node.end_mark.line
            rest = "".join(self.text[line : line + 1])[node.end_mark.column :]
            if rest.lstrip().startswith("#"):
                lost = f"everything from # on is lost: {IN_QUOTES}"
                wrong = f"{lost}; put comments on their own lines"
                self.faults.append((path, wrong))


def _written(path: KeyPath) -> str:
    """Write a path for people: `steps[1].questions[0].answers`."""
    written = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return written.removeprefix(".") or "the file"


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
