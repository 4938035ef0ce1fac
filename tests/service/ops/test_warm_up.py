"""A web process lays out the page of times before its first visitor comes."""

from lead_service.book.visitor import times_page
from lead_service.ops.serving import _warm_up


def test_the_page_of_times_is_rendered_in_advance(app, at):
    times_page._laid_out.cache_clear()
    _warm_up(app)
    assert times_page._laid_out.cache_info().currsize == 1


def test_a_process_starts_without_a_database(app, at, caplog, monkeypatch):
    monkeypatch.setattr(times_page, "snapshot", lambda _session: 1 / 0)
    _warm_up(app)
    assert "could not render" in caplog.text
