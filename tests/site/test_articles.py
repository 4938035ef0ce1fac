"""The parts around an article: its facts, its own check, its neighbors."""

import json
import re
from urllib.parse import urljoin

import pytest

from tests.support.built_site import Page


@pytest.fixture(scope="session")
def articles(site, pages):
    """Each listed article with its page, newest first."""
    by_url = {page.url: page for page in pages}
    listed = json.loads((site / "articles.json").read_text("utf-8"))["articles"]
    return [(article, by_url[article["url"]]) for article in listed]


def links(page: Page, rel: str) -> list[str]:
    return [tag["href"] for tag in page.all("a") if tag.get("rel") == rel]


def test_an_article_with_an_answer_shows_it_first_and_has_a_next_step(articles):
    own = {article["url"] for article, _ in articles}
    for article, page in articles:
        about = json.loads(page.source.split('ld+json">')[1].split("</script>")[0])["@graph"]
        abstract = next(one["abstract"] for one in about if one["@type"] == "Article")
        if abstract == article["description"]:
            continue  # one without an answer
        assert 35 <= len(abstract.split()) <= 45 and abstract in page.main_text, page.url
        assert len(article["description"]) <= 160, page.url
        prose = page.source.split('class="prose"')[1].split("</article>")[0]
        led = {urljoin(page.url, link) for link in re.findall(r'href="([^"#?]+)', prose)}
        assert len(led & own) >= 2 and "/services/" in led, page.url
        text = re.sub(r"<[^>]+>", " ", prose)
        assert len(re.findall(r"\bAI\b", text)) >= 2, page.url
        assert 700 <= len(text.split()) <= 1200, page.url


def test_every_link_of_an_article_to_a_form_names_the_article(articles):
    for article, page in articles:
        to_forms = re.findall(r'href="/(?:assessment|book|contact)/([^"]*)"', page.source)
        assert len(to_forms) >= 4 and set(to_forms) == {f"?from={article['slug']}"}, page.url


def test_articles_lead_to_the_one_before_and_the_one_after(articles):
    for place, (_, page) in enumerate(articles):
        older = [one["url"] for one, _ in articles[place + 1 : place + 2]]
        newer = [one["url"] for one, _ in articles[max(place - 1, 0) : place]]
        assert (links(page, "prev"), links(page, "next")) == (older, newer), page.url


def test_an_article_says_when_it_was_written_and_how_long_it_takes(articles):
    for article, page in articles:
        assert {"datetime": article["date"]} in page.all("time")
        assert f"{article['minutes']}\u00a0min\u00a0read" in page.main_text


def test_an_article_with_sections_lists_them(articles):
    for _, page in articles:
        sections = re.findall(r'<h2 id="([^"]+)">', page.source.split('class="prose"')[1])
        contents = page.source.partition('<nav class="contents"')[2].partition("</nav>")[0]
        listed = re.findall(r'href="#([^"]+)"', contents)
        assert set(listed) <= set(sections), page.url
        assert not [one for one in sections if one in listed] or len(listed) > 2


def test_an_article_asks_the_questions_of_its_step_as_the_service_takes_them(articles, framework):
    for article, page in articles:
        step = framework.step(article["step"])
        form = next(tag for tag in page.all("form"))
        assert form == {"method": "post", "action": "/assessment/"}
        inputs = page.all("input")
        hidden = {tag["name"]: tag["value"] for tag in inputs if tag["type"] == "hidden"}
        assert hidden == {"step": step.slug, "from": article["slug"]}
        offered = [(tag["name"], tag["value"]) for tag in inputs if tag["type"] == "radio"]
        assert offered == [(q.id, answer.id) for q in step.questions for answer in q.choices]


def test_a_step_page_asks_its_two_questions(pages, framework):
    by_url = {page.url: page for page in pages}
    for step in framework.steps:
        page = by_url[f"/framework/{step.slug}/"]
        names = {tag["name"] for tag in page.all("input")}
        assert names == {"step", *(question.id for question in step.questions)}


def test_a_step_page_has_all_texts_of_the_framework(pages, framework):
    by_url = {page.url: page for page in pages}
    for step in framework.steps:
        text = by_url[f"/framework/{step.slug}/"].main_text
        for part in (step.question, step.settles, step.skipped, *step.signs, *step.first_moves):
            assert part in text, (step.slug, part)


def test_steps_lead_to_the_one_before_and_the_one_after(pages, framework):
    by_url = {page.url: page for page in pages}
    urls = [f"/framework/{step.slug}/" for step in framework.steps]
    for place, url in enumerate(urls):
        expected = (urls[place - 1 : place] if place else [], urls[place + 1 : place + 2])
        assert (links(by_url[url], "prev"), links(by_url[url], "next")) == expected


def test_the_map_is_a_list_of_letters_with_their_questions(pages, framework):
    page = next(page for page in pages if page.url == "/framework/")
    listed = page.source.partition('<ol class="signature')[2].partition("</ol>")[0]
    items = [re.sub(r"<[^>]+>", "", item) for item in listed.split("<li ")[1:]]
    for item, step in zip(items, framework.steps, strict=True):
        assert f"{step.name}: {step.question}" in item and step.signs[0] in item


def test_articles_are_signed_only_by_an_author_who_is_set(articles):
    assert not [page.url for _, page in articles if re.search(r"\bBy \w", page.main_text[:400])]
