"""Pagination cursors: an invalid one is a 404, never an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import ColumnElement
from werkzeug.exceptions import NotFound

from lead_service.desk import pagination
from lead_service.leads.models import Lead


def older(before: str) -> ColumnElement:
    order = pagination.Order(Lead.touched_at, Lead.id)
    return order.beyond(order.place(None, before))


@pytest.mark.parametrize(
    "before",
    [
        "1700000000-99999999999999999999999999",
        "1700000000-2147483648",
        "99999999999-1",
        "1700000000-x",
        "1700000000-",
        "-1700000000-1",
        "tomorrow",
    ],
)
def test_a_key_that_no_page_gave_is_not_found(before):
    with pytest.raises(NotFound):
        older(before)


@given(st.text("0123456789-_.xé٣ ", max_size=60))
def test_any_other_text_is_an_answer_or_not_found(before):
    try:
        older(before)
    except NotFound:
        return
    assert pagination.KEY.fullmatch(before)
