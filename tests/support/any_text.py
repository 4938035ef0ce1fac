"""Any text for Hypothesis, with every character that UTF-8 can encode.

Hypothesis' default is the same, but checks every character with Python's codec: three seconds of
each worker.
"""

from hypothesis import strategies as st

CHARACTERS = st.characters(exclude_categories=["Cs"])


def any_text(min_size: int = 0, max_size: int | None = None) -> st.SearchStrategy[str]:
    return st.text(CHARACTERS, min_size=min_size, max_size=max_size)
