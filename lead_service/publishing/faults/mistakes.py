"""Find silent mistakes in a text, and say by line what to write instead. Pure.

Markdown accepts anything, and prints unknown syntax literally. Editors would learn of that from
readers, so each of the common mistakes stops the build instead.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from html import unescape

from . import literals, placeholders

Mistake = tuple[int, str]  # line, counted from one, and advice

ARTICLES = "insights/"
ADDRESS = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
UMLAUTS = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"}
DATA = ("framework.yml", "calls.yml")  # published unchanged, for the service and for readers
PUBLISHED = {  # file types besides Markdown
    *(".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".svg"),
    *(".pdf", ".csv", ".xlsx", ".pptx", ".zip"),
}
SCHEMES = {"http", "https", "mailto", "tel", "sms"}
FENCE = re.compile(r"(?m)^(?P<indent> *)(?P<fence>`{3,}|~{3,})[^\n`]*$")
DRAWN = re.compile(r"[ {.]*(?:mermaid|plantuml|math)\b")
REMARK = re.compile(r"(?:#|//|--|;|/\*) *\(\d+\)!? *(?:-->|\*/)?$")
HIDDEN = re.compile(
    r"(?s)<!--.*?-->|(?P<ticks>`+)(?!`)[^\n]*?(?<!`)(?P=ticks)(?!`)|<(?:pre|code)\b.*?</(?:pre|code)>"
)
HTML = (
    *("div", "section", "figure", "figcaption", "details", "summary", "table", "span", "a"),
    *("b", "i", "em", "strong", "u", "s", "small", "mark", "sub", "sup", "kbd", "ul", "ol"),
)
PAIRED = (  # what is in both, beginning and end, and their patterns
    *(
        (one, f"<{one}>", f"</{one}>", rf"<{one}(?=[\s>])[^>]*(?<!/)>", rf"</{one}>")
        for one in HTML
    ),
    ("///", "this block", "///", r"(?m)^[ \t]*/{3,} *\w", r"(?m)^[ \t]*/{3,}[ \t]*$"),
)
ID = re.compile(
    r"\{:?(?:[^{}\n]*\s)?#(?P<list>[\w-]+)[^{}\n]*\}|<[a-z][^<>]*\sid=[\"'](?P<html>[^\"']+)"
)
HEADING = re.compile(r"(?m)^(#{1,6})[ \t]+\S")
LINK = re.compile(r"(!?)\[((?:[^\[\]\n]|\[[^\[\]\n]*\])*)\]\(([^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)")
NOTE = re.compile(r"\[\^([^\]\n]+)\](:?)")
NUMBERED = re.compile(r"(\d+)\.[ \t]+(?=\S)")
ITEM = re.compile(r"(?:[-*+]|\d{1,2}[.)])[ \t]+\S")
NO_PARAGRAPH = re.compile(r"\s|[-*+>|#:<\[{]|\d{1,2}[.)]\s|!!!|\?\?\?|===|///|```|~~~")
LEFT_OVER = (  # each starts with a literal character: starting with a look-behind is slow
    *literals.patterns(r"""
:(?<![\w:/]:)[a-z][a-z0-9_+-]+:(?![\w:/])
    there is no icon or emoji with this name
\+\+(?=[\w\"])[^\s+]+(?:\+[^\s+]+)*\+\+
    isn't a key: keys are written as in ++ctrl+alt+del++
\^\^?(?<!\[\^)(?=[\w(])|~(?<=[A-Za-z]~)(?=\w)
    marks nothing: the other end is missing, or there is a space inside. Write x^2^ and H~2~O
\\(?<![\w:\\]\\)(?:[a-z]{3,}\b|[^\w\s\\])
    is shown with its \: delete that
\*\*(?=[^\s*.,;:!?)](?![^\n]*\*\*))
__(?<!___)(?!_)
    marks nothing: the other end of the bold text is missing
\*\*(?![^\s*.,;:!?)](?![^\n]*\*\*))
    marks nothing: no space belongs between ** and the bold text, which needs ** at both ends
(?:==(?<![\w=!<&;]==)(?=\S)|~~)
\+\+(?<![\w+{]\+\+)(?=\w)
\{(?:\+\+|--|~~|==|>>)
    marks nothing: the other end is missing
`
    begins code that never ends: add another `
\*(?<![\w*]\*)(?=[^\W_])
    marks nothing: the other end is missing. Write \* for a star
\](?:\(|[\w./-]+\.md\))
    isn't a valid link: write [text](address)
\{(?::? ?(?:[.#][\w-]+|\w+=["'])|:[ ]?\w)[^{}\n]*\}
    marks nothing: put it directly after the text, or on the line below
"""),
    (re.compile(r"\{[Ii]ts_questions\}"), placeholders.NO_STEP),
)
RENAME = "rename the file, or write %20 for the space"
COMPUTER = re.compile(r"[A-Za-z]:[\\/]|file:|/(?:Users|home)/", re.IGNORECASE)
DOMAIN = re.compile(r"(?:[\w-]+\.)+(?P<ending>[a-z]{2,24})(?:[/?#].*)?", re.IGNORECASE)
FILES = {  # endings of linked files, published or not
    *(one[1:] for one in PUBLISHED),
    *("md", "markdown", "txt", "html", "htm", "xml", "json", "doc", "docx", "xls", "ppt"),
    *("heic", "tif", "tiff", "bmp", "mp3", "mp4", "mov"),
}
TIMES = re.compile(r"(?m)^\*\*\d+ to (\d+)\*\*")


def in_text(body: str, first: int = 1) -> tuple[Mistake, ...]:
    """Return the mistakes in a page's Markdown, whose first line has the number `first`."""
    if not body.strip():
        return ((first, "the page has no text below the lines between the two ---"),)
    blanked, unclosed, in_code = _without_code(body)
    if unclosed is not None:
        wrong = "a code block begins here and never ends: close it with ```"
        return ((first + unclosed, wrong),)
    text = HIDDEN.sub(_blank, blanked)
    if (at := text.find("<!--")) >= 0:
        return ((first + text.count("\n", 0, at), "a comment begins here and never ends: add -->"),)
    return tuple(
        (first + text.count("\n", 0, at), message) for find in FINDERS for at, message in find(text)
    ) + tuple((first + line, message) for line, message in in_code)


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


def _without_code(body: str) -> tuple[str, int | None, list[Mistake]]:
    """Blank out fenced code; return the line of an unclosed fence, and mistakes in the code."""
    lines, fence, began = body.split("\n"), "", 0  # the open fence with its indentation
    found_in: list[Mistake] = []
    for number, line in enumerate(lines):
        found = FENCE.match(line)
        if fence:
            if REMARK.search(line):
                found_in.append((number, "annotations in code are not shown: write them below it"))
            is_end = line.startswith(fence) and not line.strip().strip(fence[-1])
            fence = "" if is_end else fence
            lines[number] = f"{line[: len(line) - len(line.lstrip())]}#"  # keep it a separate block
        elif found:
            fence, began = found["indent"] + found["fence"], number
            if DRAWN.match(line[len(fence) :]):
                wrong = "diagrams and formulas are not drawn: use a picture, best as SVG"
                found_in.append((number, wrong))
            lines[number] = f"{found['indent']}#"
    return "\n".join(lines), began if fence else None, found_in


def _html(text: str) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()
    for found in ID.finditer(text) if "<" in text or "{" in text else ():
        name = found["list"] or found["html"]
        if name in seen:
            yield found.start(), f"another part of the page also has the id {name}"
        seen.add(name)
    for mark, first, last, begin, end in PAIRED:
        if mark not in text:
            continue
        begins = [found.start() for found in re.finditer(begin, text)]
        ends = [found.start() for found in re.finditer(end, text)]
        if len(begins) > len(ends):
            yield begins[0], f"{first} has no end: add {last}"
        elif len(ends) > len(begins):
            yield ends[-1], f"{last} closes what was never opened"


def _headings(text: str) -> Iterator[tuple[int, str]]:
    before = 1
    for found in HEADING.finditer(text):
        level = len(found[1])
        if level > before + 1:
            wanted = "#" * (before + 1)
            yield found.start(), f"a heading of this size needs one above it: write {wanted}"
        before = max(level, 2)


def _links(text: str) -> Iterator[tuple[int, str]]:
    for found in LINK.finditer(text) if "](" in text else ():
        address = re.sub(r"""\s+(?:"[^"]*"|'[^']*')\s*$""", "", found[3]).strip()
        if wrong := _address(address):
            yield found.start(3), wrong


def _address(address: str) -> str | None:
    """Return the fault of a link's or picture's address, if any."""
    if address.startswith("<") and address.endswith(">"):
        address = address[1:-1]
    elif re.search(r"\s", address):
        if "#" in address:
            anchor = re.sub(r"[^\w-]+", "-", address.partition("#")[2].strip().lower())
            return f"the address {address!r} has a space: write #{anchor} for the part of a page"
        wanted = "leave it out" if address.startswith(("tel:", "sms:", "mailto:")) else RENAME
        return f"the address {address!r} has a space: {wanted}"
    if not address:
        return "the link has no address"
    if COMPUTER.match(address):
        return f"{address} is on your computer: put the file in docs/, and name it without folders"
    if "\\" in address:
        return f"write / for \\ in {address}"
    if re.fullmatch(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", address):
        return f"write mailto: before {address}"
    domain = DOMAIN.fullmatch(address)
    if domain and domain["ending"].lower() not in FILES:
        return f"write https:// before {address}"
    if address.lower().startswith("www."):
        return f"write https:// before {address}"
    scheme, colon, rest = address.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z][\w+.-]*", scheme):
        return None
    if scheme.lower() not in SCHEMES:
        return f"{scheme}: isn't a kind of address. Did you mean https:?"
    if scheme.lower() == "mailto" and not re.match(r"[^@\s]+@[^@\s]+\.\w", rest):
        return f"{address} isn't an email address: write mailto:name@example.com"
    if scheme.lower() in ("tel", "sms") and not re.match(r"\+?[\d().-]{3,}(?:[;?]|$)", rest):
        return f"{address} isn't a phone number: write {scheme}:+12025550100"
    if scheme.lower() in ("http", "https") and not re.match(r"//[^/\s]+\.[^/\s]|//localhost", rest):
        return f"{address} isn't an address: write https:// and a name such as example.com"
    return None


def _notes(text: str) -> Iterator[tuple[int, str]]:
    notes = [*NOTE.finditer(text)]
    begins = {found.end() for found in re.finditer(r"(?m)^[ \t>]*(?=\[\^)", text)}
    texts = [found for found in notes if found[2] and found.start() in begins]
    used = {found[1] for found in notes if found not in texts}
    for found in notes:
        if found[1] not in {one[1] for one in texts}:
            wanted = f"the footnote has no text: add a line [^{found[1]}]: with it"
            if found.start() in begins:
                wanted = f"the text of a footnote has a colon before it: [^{found[1]}]:"
            yield found.start(), wanted
    for place, found in enumerate(texts):
        if found[1] in {one[1] for one in texts[:place]}:
            yield found.start(), f"another footnote also has the name [^{found[1]}]"
        elif found[1] not in used:
            wrong = f"no place in the text refers to this footnote: write [^{found[1]}]"
            yield found.start(), wrong


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    at, is_in_list = 0, False
    for block in re.split(r"(\n[ \t]*\n)", text):
        lines = block.strip("\n").split("\n")
        if (found := NUMBERED.match(lines[0])) and found[1] != "1" and not is_in_list:
            wrong = f"{found[0]}is shown as 1.: indent the text between the items by four spaces"
            yield at, f"{wrong}, or write {found[1]}\\. for a number alone"
        is_in_list = bool(ITEM.match(lines[0])) or (is_in_list and block[:1] in " \t\n")
        if lines[0].startswith("|"):
            if len(lines) < 2 or not literals.DASHES.fullmatch(lines[1].strip()):
                yield at, "a table needs a line such as |---|---| below its first line"
        elif not NO_PARAGRAPH.match(lines[0]):
            offset = at + len(block) - len(block.lstrip("\n"))
            for line in lines:
                if ITEM.match(line):
                    yield offset, "a list needs an empty line above it"
                    break
                offset += len(line) + 1
        at += len(block)


def in_html(html: str, source: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield syntax that was printed literally, with some following text, and the advice.

    What has a backslash before it in the source is meant to be printed.
    """
    text = unescape(re.sub(r"(?s)<(code|pre|svg)\b.*?</\1>|<[^>]+>", " ", html))
    for pattern, wrong in LEFT_OVER:
        for found in pattern.finditer(text):
            behind = text[found.start() : found.end() + 12].partition("\n")[0].rstrip()
            marks = r"\\?".join(map(re.escape, behind[: len(found[0]) + 2]))
            if not re.search(r"\\" + marks, source):
                yield found[0], behind, wrong


def in_times(body: str, first: int, minutes: int) -> Iterator[Mistake]:
    """Compare a page's minutes of the call, such as `**5 to 20**`, with the call's length.

    Only a page that writes the length as a placeholder is about the call.
    """
    times = [*TIMES.finditer(body)] if "{call_" in body else ()
    if times and int(times[-1][1]) != minutes:
        line = first + body.count("\n", 0, times[-1].start())
        yield line, f"ends at {times[-1][1]}, but the call in calls.yml takes {minutes} minutes"


def in_name(path: str) -> str | None:
    """Return the fault of the name or place of a file in docs/, if any."""
    folder, _, name = path.rpartition("/")
    if name.startswith("."):  # written by systems and text editors
        is_page = name.endswith(".md") and not name.startswith(("._", ".#"))
        return "is not published, because its name begins with a dot" if is_page else None
    stem, dot, ending = name.rpartition(".")
    if f".{ending}" != ".md" and ending.lower() in ("md", "markdown", "txt"):
        return f"rename it to {_plain(stem)}.md: other endings are not read as pages"
    if ending.lower() in ("heic", "heif", "tif", "tiff", "bmp"):
        return "browsers do not show this kind of picture: save it as JPEG, PNG or WebP"
    is_published = f".{ending.lower()}" in PUBLISHED | {".md"} or path in DATA
    if not is_published or not dot:
        return "is a kind of file that the site does not publish. Remove it from docs/"
    if ending != "md":
        return None
    if path.startswith(ARTICLES) and folder != ARTICLES.rstrip("/"):
        return f"move it to {ARTICLES}{name}: articles can't be in a subfolder"
    if not ADDRESS.fullmatch(stem):
        return f"rename it to {_plain(stem)}.md: the name is the address of the page"
    return None


def _plain(stem: str) -> str:
    """Return a file's name for an address: lower case, without accents, with hyphens."""
    spelled = stem.lower().translate(UMLAUTS)
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "a-name"


def in_days(
    day: date, updated: date | None, publish: date | None, today: date
) -> Iterator[tuple[str, str]]:
    """Yield the faults of an article's days, by their keys."""
    if day.year < 2000:
        yield "date", "is before the year 2000"
    if day > today and not publish:
        yield "date", f"is in the future: add `publish: {day}` to publish the article on that day"
    if updated and updated < day:
        yield "updated", f"is before the article's date, {day}"
    if updated and updated > max(today, publish or today):
        yield "updated", "is in the future"


FINDERS = (
    *(_html, _headings, _links, _notes, _blocks, placeholders.wrong),
    *(literals.syntax, literals.references, literals.classes, literals.tables),
    literals.characters,
)
