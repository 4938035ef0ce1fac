"""Write the table of settings in handbook/operations.md: `python -m tests.support.settings_table`.

Names, defaults and descriptions come from the settings class; what production requires comes
from asking it.
"""

import re
from pathlib import Path

from pydantic import SecretStr

from lead_service.settings import Settings, SettingsError, load

PAGE = Path(__file__).resolve().parents[2] / "handbook" / "operations.md"
MARKED = re.compile(r"(?<=^<!-- settings: )([^\n]*\n).*(?=^<!-- end of settings)", re.M | re.S)
NO_ADDRESS = "https://advisory.test/"


def table() -> str:
    """Return the Markdown table of all settings, in the order of the class."""
    required = _required()
    lines = ["| setting | default | what it does |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        given = "**Required in production.** " if name.upper() in required else ""
        default = _written(field.default)
        lines.append(f"| `{name.upper()}` | {default} | {given}{field.description} |")
    return "\n".join(lines) + "\n"


def _required() -> set[str]:
    try:
        load({"PUBLIC_URL": NO_ADDRESS})
    except SettingsError as error:
        return set(re.findall(r"^([A-Z_]+): is missing", str(error), re.MULTILINE))
    return set()


def _written(default: object) -> str:
    """Write a default as it would stand in the environment."""
    if default is None or default == "" or isinstance(default, SecretStr):
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple):
        return f"`{','.join(map(str, default))}`"
    return f"`{default}`"


def with_table(page: str) -> str:
    """Return the text of the page with the table of today between its markers."""
    return MARKED.sub(lambda found: found[1] + "\n" + table() + "\n", page)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
