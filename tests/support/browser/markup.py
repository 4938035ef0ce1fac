"""Check the HTML of any page, parsed like in browsers."""

from collections import Counter
from xml.etree.ElementTree import Element

import html5lib

REFERENCES = ("for", "aria-describedby", "aria-labelledby", "aria-controls", "form", "list")


def parse(source: str) -> Element:
    """Parse a page; raise html5lib's ParseError at the first fault in it."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(source)


def repeated_ids(page: Element) -> list[str]:
    """Return each id of more than one element."""
    count = Counter(one.attrib["id"] for one in page.iter() if "id" in one.attrib)
    return [id for id, times in count.items() if times > 1]


def dangling_references(page: Element) -> list[str]:
    """Return each id that an attribute refers to and no element has."""
    ids = {one.get("id") for one in page.iter()}
    pointed = (id for one in page.iter() for name in REFERENCES for id in one.get(name, "").split())
    return [id for id in pointed if id not in ids]


def uneven_tables(page: Element) -> list[str]:
    """Return the first cell of each table row with more or fewer cells than the table's head."""
    uneven = []
    for table in page.iter("table"):
        columns = len(table.findall("thead/tr/*"))
        for row in table.iterfind("tbody/tr") if columns else ():
            if sum(int(cell.get("colspan", 1)) for cell in row) != columns:
                uneven.append("".join(row[0].itertext()).strip())
    return uneven


def unlabeled_fields(page: Element) -> list[str]:
    """Return each visible field without a label that has text."""
    labels = [label for label in page.iter("label") if "".join(label.itertext()).strip()]
    labeled = {label.get("for") for label in labels}
    inside = {id(one) for label in labels for one in label.iter()}
    return [
        field.get("name") or field.tag
        for tag in ("input", "select", "textarea")
        for field in page.iter(tag)
        if field.get("type") != "hidden"
        and field.get("id") not in labeled
        and id(field) not in inside
        and not field.get("aria-label")
    ]
