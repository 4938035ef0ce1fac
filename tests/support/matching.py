"""Search a text that must match a pattern."""

import re


def match(pattern: str, text: str, flags: re.RegexFlag = re.NOFLAG) -> re.Match[str]:
    """Return the first match of a pattern; fail if there is none."""
    found = re.search(pattern, text, flags)
    assert found, f"{pattern} does not occur in: {text[:500]}"
    return found
