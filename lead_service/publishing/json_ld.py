"""Describe pages as JSON-LD with schema.org terms, for search engines."""

from collections.abc import Iterator, Sequence

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

from ..action_framework.types import Engagement, Framework, Step
from ..people import Person
from .articles import Article, Listing

PRACTICE = {
    "legalName": "legal_name",
    "address": "postal_address",
    "email": "email",
    "telephone": "phone",
}


class Facts:
    """The facts about the site and each page, the same in every build."""

    def __init__(
        self,
        config: MkDocsConfig,
        origin: str,
        logo: str,
        framework: Framework,
        listing: Listing,
        people: Sequence[Person],
    ) -> None:
        """Take the root-relative address of the practice's logo, and the published content."""
        self._framework, self._listing = framework, listing
        self._site, self._extra, self._origin = config.site_url, config.extra, origin
        self._people = people
        self._practice = {
            "@type": "Organization",
            "@id": f"{self._site}#practice",
            "name": config.site_name,
            "url": self._site,
            "logo": f"{origin}{logo}",
        }

    def of(
        self,
        page: Page,
        title: str,
        description: str,
        picture: str,
        article: Article | None,
        step,
    ) -> dict:
        """Return the facts of one page as one JSON-LD graph."""
        graph: list[dict] = []
        if page.is_homepage:
            graph += self._home()
        else:
            graph.append(self._trail(page, title, article, step))
        if article:
            graph.append(self._article(page, description, picture, article, step))
        if page.url == "about/":
            graph += map(self._person, self._people)
        if questions := page.meta.get("questions"):
            graph.append({"@type": "FAQPage", "mainEntity": [*map(_question, questions)]})
        template = page.meta.get("template")
        if template == "services.html":
            graph += map(self._service, self._framework.engagements)
        elif template == "framework.html":
            graph.append(self._terms(title, description))
        elif template == "insights.html":
            graph.append(self._list())
        return {"@context": "https://schema.org", "@graph": graph}

    def _home(self) -> Iterator[dict]:
        given = {name: self._extra.get(key) for name, key in PRACTICE.items()}
        practice = self._practice | {name: value for name, value in given.items() if value}
        if self._people:
            practice["employee"] = [*map(self._person, self._people)]
        yield practice
        yield {
            "@type": "WebSite",
            "name": self._practice["name"],
            "url": self._site,
            "publisher": {"@id": self._practice["@id"]},
        }

    def _article(self, page, description, picture, article, step) -> dict:
        return {
            "@type": "Article",
            "headline": article.title,
            "description": description,
            "abstract": page.meta.get("answer", description),
            "about": {"@id": f"{self._site}framework/{step.slug}/"},
            "image": picture,
            "datePublished": article.date.isoformat(),
            "dateModified": article.changed.isoformat(),
            "mainEntityOfPage": page.canonical_url,
            "articleSection": step.name,
            "inLanguage": "en",
            "author": self._person(article.author) if article.author else self._practice,
            "publisher": self._practice,
        }

    def _person(self, person: Person) -> dict:
        """Describe a person, like the About page."""
        url = f"{self._origin}{person.url}"
        about: dict[str, object] = {
            "@type": "Person",
            "@id": url,
            "name": person.name,
            "jobTitle": person.role,
            "description": person.lines,
            "url": url,
            "worksFor": {"@id": self._practice["@id"]},
        }
        if person.portrait:
            about["image"] = f"{self._origin}{person.portrait[-1][1]}"
        if person.link:
            about["sameAs"] = person.link
        return about

    def _service(self, engagement: Engagement) -> dict:
        url = f"{self._site}services/#{engagement.slug}"
        return {
            "@type": "Service",
            "@id": url,
            "name": engagement.name,
            "description": engagement.for_whom,
            "serviceType": "Consulting",
            "provider": self._practice,
            "url": url,
        }

    def _terms(self, title: str, description: str) -> dict:
        return {
            "@type": "DefinedTermSet",
            "@id": f"{self._site}framework/#terms",
            "name": title,
            "description": description,
            "hasDefinedTerm": [self._term(step) for step in self._framework.steps],
        }

    def _term(self, step: Step) -> dict:
        url = f"{self._site}framework/{step.slug}/"
        return {
            "@type": "DefinedTerm",
            "@id": url,
            "name": step.name,
            "termCode": step.letter,
            "description": step.settles,
            "url": url,
        }

    def _list(self) -> dict:
        items = [
            {"@type": "ListItem", "position": position, "name": one.title, "item": self._url(one)}
            for position, one in enumerate(self._listing.newest, 1)
        ]
        return {"@type": "ItemList", "itemListElement": items}

    def _url(self, article: Article) -> str:
        return f"{self._origin}{article.url}"

    def _trail(self, page, title, article, step) -> dict:
        """Return the breadcrumbs from the front page, through the overview of steps or articles."""
        places = [(self._practice["name"], self._site)]
        if article:
            places.append(("Insights", f"{self._site}insights/"))
        elif step:
            places.append(("Framework", f"{self._site}framework/"))
        places.append((title, page.canonical_url))
        items = [
            {"@type": "ListItem", "position": position, "name": name, "item": url}
            for position, (name, url) in enumerate(places, 1)
        ]
        return {"@type": "BreadcrumbList", "itemListElement": items}


def _question(one: dict) -> dict:
    answer = {"@type": "Answer", "text": one["answer"]}
    return {"@type": "Question", "name": one["question"], "acceptedAnswer": answer}
