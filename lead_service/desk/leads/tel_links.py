"""Phone numbers as a telephone dials them. Pure."""

import re
import unicodedata

TRUNK = re.compile(r"\(\s*0\s*\)")  # +49 (0)30 …: the zero is for callers from the same country


def tel_number(number: str) -> str:
    """Return the digits to dial, with a + if there is one (RFC 3966, 3); empty if there are none.

    What follows the first letter is an extension: it is read off the page, not dialled.
    """
    typed = unicodedata.normalize("NFKC", number).strip()
    typed = re.split(r"[^\W\d_]", typed, maxsplit=1)[0]
    if typed.startswith("+"):
        typed = TRUNK.sub("", typed)
    digits = "".join(str(unicodedata.decimal(one)) for one in typed if one.isdecimal())
    return ("+" if typed.startswith("+") else "") + digits if digits else ""
