"""What is kept of the parameters with which a visitor comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_service.leads import touch
from tests.support.any_text import any_text


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("LinkedIn", "linkedin"),
        (" Spring sale 2026-04-01 ", "spring sale 2026-04-01"),
        ("jane@example.com", ""),
        ("jane%40example.com", ""),
        ("+1 212 555 0123", ""),
        ("212.555.0123", ""),
        ("<b>", ""),
        ("a" * 61, ""),
        ("", ""),
    ],
)
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
    assert touch.in_words({"at": "x", "ref": "team", "utm_source": "li"}) == "li, team"
