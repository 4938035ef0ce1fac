"""Opening hours for tests of the slot engine, which takes any minute."""

from lead_service.book.availability.intervals import Window


def parse_window(start: str, end: str) -> Window:
    """Read a window from two `HH:MM` texts, the end up to `48:00`."""
    opens, closes = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))
    return Window(opens, closes)
