"""Scripts, search, color schemes and print of the built site in a real browser.

The journey on from an article, by keyboard and without JavaScript, is in tests/browser.
"""

import time
from urllib.parse import parse_qs, urlencode

from playwright.sync_api import expect

from lead_service.leads.touch import PARAMETERS, parameters, read_source
from tests.support.browser.visitor import ARTICLE
from tests.unit.leads.test_touch import VALUES

TYPEFACE = """new Promise(there => setInterval(() => {
    const ours = [...document.fonts].filter(face => face.family.includes("Source"));
    if (ours.some(face => face.status === "loaded")) there();
}, 20))"""
OURS = "OTS derived font"  # Chromium's name for a font that is not installed
BACKGROUND = "getComputedStyle(document.documentElement).backgroundColor"


def test_reading_and_navigating_need_no_javascript(visit):
    page = visit("/", java_script_enabled=False)
    page.get_by_role("link", name="Search").click()
    assert page.url.endswith("/insights/")
    page.get_by_role("link", name="Why Most AI Pilots Never Scale").click()
    assert page.url.endswith(ARTICLE)
    assert page.locator(".scheme").is_hidden()


def test_a_chosen_scheme_is_kept_from_page_to_page(visit):
    page = visit("/", color_scheme="light")
    light = page.evaluate(BACKGROUND)
    page.get_by_role("button", name="Dark mode").click()
    dark = page.evaluate(BACKGROUND)
    page.get_by_role("link", name="Services", exact=True).click()
    page.wait_for_url("**/services/")
    assert page.evaluate(BACKGROUND) == dark != light


def test_pages_pass_on_the_source_but_no_answers(visit):
    page = visit(f"{ARTICLE}?utm_source=linkedin&ref=team&assessment=1-abc&gclid=x#main")
    page.wait_for_function("document.querySelector('.masthead-book').search.includes('linkedin')")
    links = "all => all.filter(one => one.pathname.endsWith('/')).map(one => one.search)"
    led = page.eval_on_selector_all("a[href^='/']", links)
    own = "utm_source=linkedin&ref=team"
    assert set(led) == {f"?{own}", f"?from={ARTICLE.split('/')[2]}&{own}"}
    sent = page.eval_on_selector("form", "form => [...new FormData(form)].join()")
    assert "utm_source,linkedin" in sent and "ref,team" in sent
    page.get_by_role("link", name="Services", exact=True).click()
    page.wait_for_url("**/services/?utm_source=linkedin&ref=team")


def test_the_script_passes_on_the_values_that_the_service_keeps(visit):
    page = visit(ARTICLE)
    here, at_once = page.url, len(PARAMETERS)
    for start in range(0, len(VALUES), at_once):
        values = [value for value, _ in VALUES[start : start + at_once]]
        given = dict(zip(PARAMETERS, values, strict=False))
        page.goto(f"{here}?{urlencode(given)}")
        expect(page.locator(".scheme")).to_be_visible()  # the script has run
        led = page.eval_on_selector(".masthead-book", "one => one.search")
        passed_on = {name: one[0] for name, one in parse_qs(led.lstrip("?")).items()}
        assert passed_on.pop("from")
        assert passed_on == parameters(read_source(given))


def test_nothing_of_search_is_loaded_before_it_is_opened(visit):
    page = visit("/")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload(wait_until="networkidle")
    assert not [url for url in asked if "search" in url]
    page.get_by_role("link", name="Search").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if url.endswith("/search.json")]


# What a reader types, what the first result contains, and what is marked in it.
SEARCHES = (
    ("with an ongoing budget who has said", "Why Most AI Pilots", None),
    ("two people with other jobs keep it alive", "Why Most AI Pilots", None),
    ("Sunday evenings", "Why Most AI Pilots", "Sunday evening"),  # another form of a word
    ("integrations tun", "Why Most AI Pilots", "tuned"),  # the beginning of one
    ("pricing", "Questions and answers", ""),  # a buyer's word
    ("NDA", "Questions and answers", ""),
    ("compliance", "AI governance", ""),
    ("KPI", "AI strategy, ROI", ""),
    ("proof of concept", "Why Most AI Pilots", ""),
    ("ChatGPT", "AI readiness, strategy", ""),
    ("what does an engagement cost", "Questions and answers", None),
    ("decision rights", "AI governance", None),  # from a template, not an article
    ("$360000", "Two Letters", "360,000"),
    ("organise", "Organize", "Organize"),  # British spelling
    ("phone", "Write to us.", ""),  # pages of the service, whose text isn't part of the site
    ("book a call", "Discovery call, 30 minutes", "call"),
    ("self-assessment", "Answer twelve questions", ""),
    ("who are you", "About", ""),
    ("2.2", "Accessibility", None),  # pieces of one letter
    ("AT&T", "", "att"),  # one word, and its beginning is not the word "at"
    ("the link to this article", "", "article"),
)


def test_any_phrase_is_found_with_its_passage_marked_and_by_keyboard_alone(visit):
    page = visit("/about/")
    page.keyboard.press("/")
    field = page.get_by_label("Search the site")
    expect(field).to_be_focused()
    first = page.get_by_role("dialog").locator("ul > li").first
    for query, title, mark in SEARCHES:
        field.fill(query)
        expect(first).to_contain_text(title)
        marked = first.locator("mark")
        if mark != "":
            expect(marked.first).to_contain_text(mark or query, ignore_case=True)
    expect(page.get_by_role("dialog")).not_to_contain_text("Copy the link to this article")
    field.fill("why was the business case never quantified")
    section = first.get_by_role("link", name="Four signs")
    expect(section).to_be_visible()
    assert "-scale:~:text=business%20case%20was" in section.get_attribute("href")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{ARTICLE}")


def test_search_says_when_nothing_is_found_and_gives_the_focus_back(visit):
    page = visit("/about/")
    opener = page.get_by_role("link", name="Search")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Search the site")).to_be_focused()
    for query in ("5", "zzzz"):
        page.get_by_label("Search the site").fill(query)
        expect(page.get_by_role("status")).to_contain_text("No results")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()
    opener.blur()
    page.keyboard.press("/")
    expect(page.get_by_label("Search the site")).to_be_focused()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_a_late_typeface_delays_nothing_and_never_swaps_during_reading(visit, address):
    page = visit("/about/", width=412)
    page.route("**/*.woff2", lambda route: (time.sleep(0.5), route.continue_()))
    page.goto(address + ARTICLE)
    before = fonts_of(page)
    page.evaluate(TYPEFACE)
    first_paint, *arrivals = page.evaluate("""[
        performance.getEntriesByName("first-paint")[0].startTime,
        ...performance.getEntriesByType("resource").filter(e => e.name.endsWith(".woff2"))
            .map(e => e.responseEnd)]""")
    assert arrivals and first_paint < min(arrivals)
    assert fonts_of(page) == before != [OURS]


def test_the_bold_typeface_is_preloaded_only_where_it_is_used(visit, address):
    page = visit("/")
    for path in ("/", ARTICLE, "/about/", "/discovery-call/", "/framework/", "/privacy/"):
        page.goto(address + path)
        preloaded, used = page.evaluate("""document.fonts.ready.then(() => [
            document.querySelector("link[rel=preload][href*=semibold]") !== null,
            [...document.fonts].some(one => one.weight === "600" && one.status === "loaded")])""")
        assert preloaded == used, path


def fonts_of(page):
    """Name the fonts in which the heading is drawn."""
    browser = page.context.new_cdp_session(page)
    for part in ("DOM", "CSS"):
        browser.send(f"{part}.enable")
    root = browser.send("DOM.getDocument")["root"]["nodeId"]
    heading = browser.send("DOM.querySelector", {"nodeId": root, "selector": "h1"})
    found = browser.send("CSS.getPlatformFontsForNode", {"nodeId": heading["nodeId"]})
    return sorted({font["familyName"] for font in found["fonts"]})


def test_no_policy_is_broken_by_the_pages_as_published(visit, address):
    page = visit("/")
    said = []
    page.on("console", lambda message: said.append(message.text))
    for path in ("/", ARTICLE, "/framework/", "/404.html", "/503.html"):
        page.goto(address + path)
        expect(page.locator(".scheme")).to_be_visible()
    assert said == []


def test_the_map_is_turned_over_by_keyboard(visit):
    page = visit("/framework/")
    question, sign = (
        page.locator(".signature-question").first,
        page.locator(".signature-sign").first,
    )
    assert question.is_visible() and not sign.is_visible()
    page.get_by_role("radio", name="before you begin").focus()
    page.keyboard.press("ArrowRight")
    expect(sign).to_be_visible()
    expect(question).to_be_hidden()


def test_one_step_s_articles_can_be_read_alone_without_a_script(visit):
    page = visit("/insights/", java_script_enabled=False)
    entries = page.locator(".entry").filter(visible=True)
    everything = entries.count()
    page.get_by_text("Clarify", exact=True).first.click()
    alone = page.locator(".entry.step-clarify").count()
    assert 0 < entries.count() == alone < everything


def test_the_contents_mark_the_section_that_is_read(visit):
    page = visit(ARTICLE, width=1280)
    marked = page.locator(".contents [aria-current]")
    expect(marked).to_have_count(0)
    last = page.locator(".prose h2").last
    last.evaluate("heading => heading.scrollIntoView()")
    expect(marked).to_have_text(last.inner_text())


def test_the_address_of_an_article_is_copied_only_where_a_script_can(visit):
    assert visit(ARTICLE, java_script_enabled=False).locator(".share").is_hidden()
    page = visit(ARTICLE, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the link to this article").click()
    expect(page.locator(".share [role=status]")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").endswith(ARTICLE)


def test_a_dark_page_prints_as_ink_on_paper(visit):
    page = visit(ARTICLE, color_scheme="dark")
    page.get_by_role("button", name="Light mode").click()
    page.get_by_role("button", name="Dark mode").click()
    page.emulate_media(media="print")
    style = page.evaluate(
        "(({color, backgroundColor}) => [color, backgroundColor])"
        "(getComputedStyle(document.documentElement))"
    )
    assert style == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.locator("header nav, .next").filter(visible=True).count() == 0
