"""CSV cells: formulas stay text, and text is read back unchanged."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lead_service.desk.leads.exports import line, safe, safe_line, system_line

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.mark.parametrize(
    "formula",
    [
        "=1+1",
        "+1 555 0100",
        "@SUM(A1)",
        "\t=1",
        " =1",
        "\u00a0=1",
        '"=1',
        "'=1",
        "\u201c=1",
        "\u200b=1",
        "\u200f\u202e=1",
        "\uff1d1",
        "\uff0b1",
        "\uff20x",
        "\u207a1",
        '"\n=1',
        " \" ' \u3000\uff1dcmd|' /C calc'!A0",
    ],
)
def test_a_formula_gets_an_apostrophe(formula):
    assert safe(formula) == "'" + formula


@pytest.mark.parametrize("text", ["", " ", "Ada", "1+1", "a=b", "(=1)", "O'Neil", "Nguyễn", "عبد"])
def test_other_text_stays_as_it_is(text):
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        *[(phone, True) for phone in ("+12125550100", "+49 (0)89.55-50", "+1 212")],
        *[(other, False) for other in ("+12125550100+1", "+1*2", "+", "+A1", "+1\n2", "=1")],
    ],
)
def test_another_system_gets_phone_numbers_as_they_are_dialed(text, kept):
    assert system_line([text]) == line([text if kept else safe(text)])


@given(st.lists(TEXT, min_size=1))
def test_every_csv_record_is_read_as_written(fields):
    for written, expected in ((line, fields), (safe_line, [safe(field) for field in fields])):
        text = written(fields)
        assert text.endswith("\r\n")
        (record,) = csv.reader(io.StringIO(text, newline=""), strict=True)
        assert record == expected
    assert all(safe(field) in (field, "'" + field) for field in fields)


@given(TEXT)
def test_the_first_character_that_counts_never_begins_a_formula(text):
    seen = safe(text).lstrip(' "\u201c\u201d\u00a0\u3000')
    assert not seen.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff20"))
