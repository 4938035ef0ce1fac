"""Read the menu and the footer from `nav` in mkdocs.yml."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files

from .links import SERVICE

MENU, FOOTER = "Menu", "Footer"
IMPRINT = "imprint.md"  # only some practices have one


class Entry(NamedTuple):
    """One link of a menu: what it says, and its root-relative or https address."""

    name: str
    url: str


def read(nav: Sequence[Any] | None, files: Files, *, has_imprint: bool) -> dict[str, list[Entry]]:
    """Return the entries of both; `PluginError` names one that leads nowhere."""
    found: dict[str, list[Entry]] = {MENU: [], FOOTER: []}
    known = {f"/{file.url}" for file in files} | set(SERVICE) | {"/feed.xml"}
    for part, entries in _parts(nav):
        for entry in entries:
            if not isinstance(entry, dict) or len(entry) != 1:
                raise _fault(part, f"{entry}: write what the link says, a colon and where it leads")
            [(name, target)] = entry.items()
            if target == IMPRINT and not has_imprint:
                continue
            file = files.get_file_from_path(str(target))
            url = f"/{file.url}".replace("/./", "/") if file else str(target)
            if not file and url not in known and not url.startswith("https://"):
                raise _fault(part, f"{name}: there is no page {target}")
            found[part].append(Entry(str(name), url))
    return found


def _fault(part: str, message: str) -> PluginError:
    return PluginError(f"mkdocs.yml: nav: {part}: {message}")


def _parts(nav: Sequence[Any] | None) -> list[tuple[str, list[Any]]]:
    parts = [item for item in nav or () if isinstance(item, dict)]
    return [(MENU, part[MENU]) for part in parts if MENU in part] + [
        (FOOTER, part[FOOTER]) for part in parts if FOOTER in part
    ]
