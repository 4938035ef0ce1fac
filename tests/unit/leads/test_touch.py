"""What is kept of the parameters with which a visitor comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_service.leads import touch
from tests.support.any_text import any_text

VALUES = [  # also those of the script that passes a source on
    ("LinkedIn", "linkedin"),
    (" Spring sale 2026-04-01 ", "spring sale 2026-04-01"),
    ("1234 5678", "1234 5678"),
    ("a" * 60, "a" * 60),
    ("~a", ""),
    ("jane@example.com", ""),
    ("jane%40example.com", ""),
    ("+1 212 555 0123", ""),
    ("212.555.0123", ""),
    ("https://evil.example/x", ""),
    ("<b>", ""),
    ("a" * 61, ""),
]


@pytest.mark.parametrize(("value", "kept"), [*VALUES, ("", "")])
def test_a_source_holds_no_address_no_number_and_no_long_text(value, kept):
    source = touch.read_source({"utm_source": value, "gclid": "x"})
    assert touch.parameters(source) == ({"utm_source": kept} if kept else {})


@given(st.dictionaries(st.sampled_from([*touch.PARAMETERS, "for"]), any_text(max_size=70)))
def test_a_source_fits_its_column_and_reads_as_it_was_written(told):
    source = touch.read_source(told)
    assert len(source) <= touch.LONGEST and source.isascii()
    assert touch.read_source(touch.parameters(source)) == source


def test_a_source_is_counted_by_the_name_that_says_most():
    assert touch.name_of("utm_source=linkedin&utm_medium=social&ref=team") == "linkedin"
    assert touch.name_of("utm_medium=social&ref=team") == "team"
    assert touch.name_of("utm_campaign=spring") == "spring"
    assert touch.name_of("") == ""
    stored = {"at": "x", "article": "about-clarify", "ref": "team", "utm_source": "li"}
    assert touch.in_words(stored) == "li, team"
    assert touch.labeled(stored) == "source li, ref team"
    assert touch.came_by(stored) == ("about-clarify", "utm_source=li&ref=team")
    assert touch.came_by(None) == (None, "")


@pytest.mark.parametrize(
    ("how", "kept"),
    [
        ("Hannover Fair 2026", "hannover fair 2026"),
        ("Messe M\u00fcnchen", "messe munchen"),
        ("Referred by Dr. O'Neil & Co.", "referred by dr. o neil co."),
        ("(they phoned)", "they phoned"),
        ("from jane@example.com", "from"),
        ("a" * 80, "a" * 60),
        ("\u5c55\u89bd\u4f1a", ""),
    ],
)
def test_a_source_that_a_member_types_is_written_as_links_name_it(how, kept):
    assert touch.written_by_hand(how) == kept
    assert touch.read_source({"ref": kept}) == touch.read_source({"ref": kept or "@"})
