"""Read the menu and the footer from `nav` in mkdocs.yml."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from mkdocs.structure.files import Files, InclusionLevel

MENU, FOOTER = "Menu", "Footer"
IMPRINT = "imprint.md"  # only some practices have one
ENTRY = "write what the link says, a colon and where it leads"


class Entry(NamedTuple):
    """One link of a menu: its text, and its root-relative or https address."""

    name: str
    url: str


class Menus:
    """The entries of menu and footer, and `faults`: a text of mkdocs.yml, and its fault."""

    def __init__(
        self,
        nav: Sequence[Any] | None,
        files: Files,
        known: Collection[str],
        *,
        has_imprint: bool,
    ) -> None:
        """Take `nav`, and the root-relative addresses of possible targets."""
        self.entries: dict[str, list[Entry]] = {MENU: [], FOOTER: []}
        self.faults: list[tuple[str, str]] = []
        self._files, self._known, self._has_imprint = files, known, has_imprint
        seen = set()
        for part, entries in self._parts(nav):
            seen.add(part)
            for entry in entries:
                self._read(part, entry)
        if nav:  # a site may have no menus at all
            missing = [part for part in self.entries if part not in seen]
            self.faults += (("nav", f"nav: {part}: is missing") for part in missing)

    def _parts(self, nav: Sequence[Any] | None) -> Iterator[tuple[str, list[Any]]]:
        for item in nav or ():
            [(name, entries)] = item.items() if isinstance(item, dict) else [(str(item), None)]
            if name not in self.entries:
                known = f"isn't a part of nav. The parts are {MENU} and {FOOTER}"
                self.faults.append((name, f"nav: {name}: {known}"))
            elif not isinstance(entries, list):
                self.faults.append((name, f"nav: {name}: below it, {ENTRY}, one on each line"))
                yield name, []
            else:
                yield name, entries

    def _read(self, part: str, entry: Any) -> None:
        if not isinstance(entry, dict) or len(entry) != 1:
            self.faults.append((str(entry), f"nav: {part}: {entry}: {ENTRY}"))
            return
        [(name, target)] = entry.items()
        if target == IMPRINT and not self._has_imprint:
            return
        if not str(name).strip() or not isinstance(target, str):
            wrong = ENTRY if isinstance(target, str) else "a menu can't contain another menu"
            self.faults.append((str(name) or str(target), f"nav: {part}: {name}: {wrong}"))
            return
        file = self._files.get_file_from_path(str(target))
        url = f"/{file.url}".replace("/./", "/") if file else str(target)
        if file and file.inclusion == InclusionLevel.DRAFT:
            wrong = f"{target} is not published yet"
        elif not file and url not in self._known and not url.startswith("https://"):
            wrong = f"there is no page {target}"
            if target.startswith(("http:", "www.")):
                wrong = f"write https:// before {target.removeprefix('http://')}"
        else:
            self.entries[part].append(Entry(str(name), url))
            return
        self.faults.append((str(target), f"nav: {part}: {name}: {wrong}"))
