"""The site's page as a template, whose text is never run as template syntax."""

import pytest
from jinja2 import DictLoader, Environment

from lead_service.publishing.site import Article, Published, _as_template
from lead_service.settings import SettingsError

MARKERS = (
    "<!--page:title--><!--page:description--><!--page:head--><!--page:masthead-->{{ shop }}"
    "<!--page:/masthead--><!--page:above--><!--page:content--><!--page:footer--><!--page:/footer-->"
)


def test_template_syntax_in_the_page_is_not_interpreted():
    page = "<style>.a{#id{{x}}{% y %}#}</style>" + MARKERS + "{{ end }}"
    environment = Environment(loader=DictLoader({"page.html": _as_template(page)}))
    child = "{% extends 'page.html' %}{% block content %}CONTENT{% endblock %}"
    rendered = environment.from_string(child).render()
    assert rendered == "<style>.a{#id{{x}}{% y %}#}</style>{{ shop }}CONTENT{{ end }}"
    own = environment.from_string(child + "{% block masthead %}OWN{% endblock %}").render()
    assert own == rendered.replace("{{ shop }}", "OWN")


@pytest.mark.parametrize("page", ["", MARKERS + "<!--page:title-->", MARKERS[20:]])
def test_a_page_without_each_marker_once_is_refused(page):
    with pytest.raises(SettingsError, match="markers"):
        _as_template(page)


@pytest.mark.parametrize(
    ("slug", "title"),
    [("read-this", "Read This"), ("taken-off-the-site", "taken-off-the-site"), (None, "")],
)
def test_an_article_is_named_by_its_title_or_else_its_slug(slug, title):
    article = Article("Read This", "/insights/read-this/", "read-this", "clarify", "", 5)
    assert Published("", "", None, None, (article,)).title_of(slug) == title
