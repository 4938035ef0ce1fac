"""The order of articles in lists, and the choice of articles to read next."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from lead_service.publishing.articles import RELATED, Article, Listing, minutes

STEPS = ("assess", "clarify", "organize")


@st.composite
def listings(draw):
    """Generate up to twelve articles with few dates and steps, so that these often coincide."""
    facts = st.tuples(st.integers(1, 5), st.sampled_from(STEPS))
    return Listing.of(
        Article(f"Title {n}", "…", date(2025, 3, d), step, f"a{n}", f"/insights/a{n}/")
        for n, (d, step) in enumerate(draw(st.lists(facts, min_size=1, max_size=12)))
    )


@given(listings())
def test_articles_are_listed_newest_first_whole_and_by_step(listing):
    dates = [article.date for article in listing.newest]
    assert dates == sorted(dates, reverse=True)
    for step in STEPS:
        assert listing.of_step(step) == tuple(a for a in listing.newest if a.step == step)


@given(listings())
def test_five_others_are_offered_next_and_those_of_the_same_step_come_first(listing):
    for article in listing.newest:
        offered = listing.related(article)
        assert article not in offered and len(set(offered)) == len(offered)
        assert len(offered) == min(RELATED, len(listing.newest) - 1)
        near = [other for other in listing.of_step(article.step) if other != article]
        assert list(offered[: len(near)]) == near[:RELATED]


@given(listings())
def test_older_and_newer_walk_through_all_articles_and_back(listing):
    walked = [listing.newest[0]]
    while following := listing.older(walked[-1]):
        assert listing.newer(following) == walked[-1]
        walked.append(following)
    assert tuple(walked) == listing.newest and listing.newer(walked[0]) is None


@given(st.integers(0, 3000))
def test_reading_takes_at_least_a_minute_and_markup_takes_none(words):
    html = f"<p class='a b c'>{'word ' * words}</p>"
    assert minutes(html) == max(1, round(words / 220))
