"""The source of a visitor, parsed from address parameters."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_service.leads import touch
from tests.support.any_text import any_text

NOW = datetime(2026, 11, 23, tzinfo=UTC)
VALUES = [  # also those of the script that passes a source on
    ("LinkedIn", "linkedin"),
    (" Spring sale 2026-04-01 ", "spring sale 2026-04-01"),
    ("1234 5678", "1234 5678"),
    ("Q4_2026-11-30", "q4_2026-11-30"),
    ("Brand | Search | US", "brand | search | us"),
    ("120215478996540123", "120215478996540123"),  # an ad's id
    ("4111 1111 1111 1111", ""),
    ("x 212.555.0123", ""),
    ("a" * 60, "a" * 60),
    ("~a", ""),
    ("jane@example.com", ""),
    ("jane%40example.com", ""),
    ("+1 212 555 0123", ""),
    ("212.555.0123", ""),
    ("https://evil.example/x", ""),
    ("a;b", ""),
    ("<b>", ""),
    ("Fru\u0308hjahr", "fr\u00fchjahr"),
    ("\u0412\u0435\u0441\u043d\u0430 26", "\u0432\u0435\u0441\u043d\u0430 26"),
    ("\u5c55\u89bd\u4f1a", "\u5c55\u89bd\u4f1a"),
    ("\u0939\u093f\u0928\u094d\u200d\u0926\u0940", "\u0939\u093f\u0928\u094d\u0926\u0940"),
    ("\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668", ""),  # a phone number in Arabic
    ("jane\uff20example", ""),
    ("a" * 61, ""),
    ("M\u00fcller & S\u00f6hne", "m\u00fcller & s\u00f6hne"),
    ("AI+Summit", "ai+summit"),
    ("O'Reilly (x:y), a/b", "o'reilly (x:y), a/b"),
    ("a" + "&" * 19 + "bc", "a" + "&" * 19 + "bc"),
    ("a" + "&" * 20, ""),  # its encoded form has 61 characters
    ("+1 (212) 555-0123", ""),
    ("1/212/555/0123", ""),
    ("//evil.example", ""),
    ("Line\x00break", ""),
]


@pytest.mark.parametrize(("value", "kept"), [*VALUES, ("", "")])
def test_a_source_contains_no_address_number_or_long_text(value, kept):
    source = touch.read_source({"utm_source": value, "gclid": "x"})
    assert touch.parameters(source) == ({"utm_source": kept} if kept else {})


@given(st.dictionaries(st.sampled_from([*touch.PARAMETERS, "for"]), any_text(max_size=70)))
def test_a_source_fits_its_column_and_is_read_back_unchanged(told):
    source = touch.read_source(told)
    assert len(source) <= touch.LONGEST
    assert touch.read_source(touch.parameters(source)) == source


def test_a_source_is_counted_by_its_most_specific_name():
    assert touch.name_of("utm_source=linkedin&utm_medium=social&ref=team") == "linkedin"
    assert touch.name_of("utm_medium=social&ref=team") == "team"
    assert touch.name_of("utm_campaign=spring") == "spring"
    assert touch.name_of("") == ""
    stored = {"at": "x", "article": "about-clarify", "ref": "team", "utm_source": "li"}
    assert touch.in_words(stored) == "li, team"
    assert touch.labeled(stored) == "source li, ref team"
    assert touch.came_by(stored) == ("about-clarify", "utm_source=li&ref=team")
    assert touch.came_by(None) == (None, "")
    by_hand = touch.Touch(NOW, source=touch.source_by_hand("Trade fair"))
    assert touch.came_by(by_hand.stored) == (None, by_hand.source)
    assert touch.name_of(by_hand.source) == "trade fair"
    assert touch.for_links(by_hand.source) == {}


@pytest.mark.parametrize(
    ("how", "kept"),
    [
        ("Hannover Fair 2026", "hannover fair 2026"),
        ("Messe M\u00fcnchen", "messe m\u00fcnchen"),
        ("Referred by Dr. O'Neil & Co.", "referred by dr. o'neil & co."),
        ("(they phoned)", "they phoned)"),
        ("https://fair.example/x!", "https: fair.example/x"),
        ("a" + "&" * 40, "a" + "&" * 19),
        ("jane@example.com called +1 312 555 0000", "called"),
        ("a" * 80, "a" * 60),
        ("\u5c55\u89bd\u4f1a!", "\u5c55\u89bd\u4f1a"),
        ("???", ""),
    ],
)
def test_a_source_that_a_member_types_is_written_as_links_name_it(how, kept):
    assert touch.written_by_hand(how) == kept
    assert touch.read_source({"ref": kept}) == touch.read_source({"ref": kept or "@"})
