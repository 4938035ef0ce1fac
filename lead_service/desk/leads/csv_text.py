"""CSV that a spreadsheet opens as text: what a visitor typed must never be run as a formula. Pure.

RFC 4180, every field in quotes, so that a program which splits at semicolons still sees where
a field begins; UTF-8 with a mark at the start, by which Excel knows it.
"""

import csv
import io
import unicodedata
from collections.abc import Iterable

MARK = "\ufeff"
FORMULA = frozenset("=+-@\u2212")
CONTROL = frozenset("\t\r\n\0")
QUOTES = frozenset("\"'\u201a\u201e")  # those that no category below holds
SKIPPED = {"Cc", "Cf", "Pi", "Pf", "Sk"}  # controls, what has no width, quotes, lone accents


def line(fields: Iterable[str]) -> str:
    """Return one record, with its line end."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(map(safe, fields))
    return written.getvalue()


def safe(text: str) -> str:
    """Put an apostrophe before what a spreadsheet could take for a formula.

    That is = + - @ in any width, also after white space, quotes or what has no width, and a tab,
    a line end or a NUL at the start (OWASP, CSV Injection). A phone number gets one too.
    """
    first = next((one for one in text if not _is_skipped(one)), "")
    is_formula = unicodedata.normalize("NFKC", first)[:1] in FORMULA
    return "'" + text if is_formula or text[:1] in CONTROL else text


def _is_skipped(character: str) -> bool:
    """Say whether a program may pass over a character on its way to the first that counts."""
    if character.isspace() or character in QUOTES:
        return True
    return unicodedata.category(character) in SKIPPED
