"""Read a YAML file so that every fault in it can be named by its key and its line.

The people who edit these files are not programmers. So every value stays the text that was
written (`No` is not false, `1e3` is not a number), a key given twice is a fault and not a silent
loss, and aliases, which only programmers use, are refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import yaml

KeyPath = tuple[str | int, ...]
Fault = tuple[KeyPath, str]

_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # ten times faster where it is built


@dataclass(frozen=True)
class Source:
    """Hold what a file says: its data, the line of each key, and its faults so far."""

    data: object = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def describe(self, faults: Iterable[Fault]) -> str:
        """Write one line a fault, in the order of the file: line, names, key, what is wrong."""
        rows = sorted({(self._line(path), _written(path), text, path) for path, text in faults})
        written = (f"{self._place(path)}: {key}: {text}" for _, key, text, path in rows)
        return "\n".join(" ".join(row.split()) for row in written)  # a name may hold a line break

    def _line(self, path: KeyPath) -> int:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def _place(self, path: KeyPath) -> str:
        names = ", ".join(self._names(path))
        return f"line {self._line(path)}" + (f" ({names})" if names else "")

    def _names(self, path: KeyPath) -> Iterable[str]:
        here = self.data
        for key in path:
            try:
                here = here[key]
            except (KeyError, IndexError, TypeError):
                return
            name = isinstance(here, dict) and (here.get("slug") or here.get("id"))
            if isinstance(name, str):
                yield name


def read(text: str) -> Source:
    """Read one YAML document; `ValueError` names the line when it is not YAML at all."""
    if unprintable := yaml.reader.Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, unprintable.start()) + 1
        raise ValueError(
            f"line {line}: holds the character {unprintable[0]!r}, which nobody can see"
        )
    try:
        node = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(f"line {line}: this is not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"line 1: this is not YAML: {str(error).splitlines()[0]}") from error
    lines: dict[KeyPath, int] = {}
    faults: list[Fault] = []
    data = _plain(node, (), lines, faults, set()) if node else None
    return Source(data, lines, faults)


def _plain(node: yaml.Node, path: KeyPath, lines: dict, faults: list, seen: set[int]) -> object:
    lines.setdefault(path, node.start_mark.line + 1)
    if id(node) in seen:
        faults.append((path, "is an alias (*name): write the text out instead"))
        return ""
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        return [_plain(n, (*path, i), lines, faults, seen) for i, n in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, faults, seen)
    return node.value


def _mapping(
    node: yaml.MappingNode, path: KeyPath, lines: dict, faults: list, seen: set[int]
) -> dict:
    data: dict = {}
    for key_node, value in node.value:
        key = str(key_node.value)
        here = (*path, key)
        if key in data:
            line = key_node.start_mark.line + 1
            faults.append((here, f"this key is given twice, again on line {line}"))
        lines.setdefault(here, key_node.start_mark.line + 1)
        data[key] = _plain(value, here, lines, faults, seen)
    return data


def _written(path: KeyPath) -> str:
    """Write a path as people do: `steps[1].questions[0].answers`."""
    written = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return written.removeprefix(".") or "the file"
