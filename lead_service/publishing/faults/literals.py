"""Find mistyped syntax that would be printed literally or lost. Pure.

Each function takes a text without code, and yields positions with advice.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from html.entities import html5
from itertools import takewhile

Found = Iterator[tuple[int, str]]

KINDS = {  # of callouts; two more words place one
    *("note", "abstract", "summary", "tldr", "info", "todo", "tip", "hint", "important"),
    *("success", "check", "done", "question", "help", "faq", "warning", "caution", "attention"),
    *("failure", "fail", "missing", "danger", "error", "bug", "example", "quote", "cite"),
    *("snippet", "seealso", "inline", "end", "annotate"),
}
CALLOUT = re.compile(
    r"[ \t]*(?:!!! ?(?=[\w-])|\?\?\?\+? ?(?= *\S))(?P<kinds>[\w-]+(?: +[\w-]+)*)?"
    r'(?: +"[^"\n]*")? *'
)
CALLOUT_MEANT = re.compile(r"(?m)^[ \t]*(?:!!!|\?\?\?)[^\n]*")
TAB_MEANT = re.compile(r"(?m)^[ \t]*===[+!]*[ \t]+\S[^\n]*")
TAB = re.compile(r'[ \t]*===(?:\+|\+!|!\+|!)? +"[^"\n]*" *')
SLASHES = re.compile(r"(?m)^[ \t]*/{3,}[^\n]*")
BLOCK = re.compile(r" {0,3}/{3,} *(?:(?:figure-|table-)?caption *(?:\|.*)?)?")
INCLUDE_MEANT = re.compile(r"(?m)^[^\n]*-8<-[^\n]*")
INCLUDE = re.compile(r'[ \t]*-{1,}8<-{1,}(?:[ \t]+"[^"\n]+"[ \t]*|[ \t]*)')
REFERENCE = re.compile(r"\[(?!\^)([^\[\]\n]+)\]\[([^\[\]\n]*)\]")
TARGET = re.compile(r"(?m)^ {0,3}\[(?!\^)([^\[\]\n]+)\]:[ \t]*\S")
UNCLOSED = re.compile(r"(?m)\{:?[ \t]*(?:[.#][A-Za-z][\w-]*|\w+=[\"'])[^{}\n]*$")
ANNOTATED = re.compile(r"(?m)\{:?[^{}\n]*\.annotate\b[^{}\n]*\}[ \t]*$(?![\s>]*1[.)][ \t])")
LIST = re.compile(r"\{:?(?P<list>[^{}\n]*)\}|class=[\"'](?P<names>[^\"'\n]*)[\"']")
CLASSES = (  # with an effect in our design
    *("pull", "line", "timed", "aside", "annotate", "md-button", "md-button--primary"),
    *("grid", "cards", "card"),
)
ABBREVIATION = re.compile(r"(?m)^\*\[[^\[\]\n]+\](?=[ \t])")
FORMULA = re.compile(
    r"\$\$(?=[^$])[^$]*\$\$|(?<![\w$\\])\$(?=\S)(?P<one>[^$\n]{1,80})(?<=\S)\$(?!\w)"
    r"|\\\((?P<two>[^\n]{1,80}?)\\\)|\\\[(?P<three>.{1,200}?)\\\]",
    re.DOTALL,
)
SIGNS = re.compile(r"[\\^_={}]")
MATH = re.compile(r"[\\^_={}]|(?<![\w'\u2019])[a-zA-Z](?![\w'\u2019])")
TAG = re.compile(r"</?([A-Za-z][\w-]*)(?=[\s/>])[^<>]*>")
TAGS = {
    *re.findall(
        r"\w+",
        """a abbr address article aside b bdi bdo blockquote br caption cite code col colgroup data
        dd del details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr
        i img ins kbd li main mark nav ol p picture pre q rp rt ruby s samp section small source
        span strong sub summary sup table tbody td tfoot th thead time tr track u ul var wbr svg
        path g circle rect line polyline polygon text title desc defs use script iframe style object
        embed form input button select option textarea link meta base video audio canvas template
        center font strike big tt
        """,
    )
}
DASHES = re.compile(r"\|?[\s:|-]*-[\s:|-]*")
RULE = re.compile(r"(?m)^[ \t:|-]*-[ \t:|-]*$")  # below the first line of a table
PIPE = re.compile(r"(?<!\\)\|")
NO_CHARACTER = "isn't the name of a character"
TABLE_ELSEWHERE = "a table is written | a | b |, with |---|---| below its first line"
NOTE_ELSEWHERE = "a footnote is written [^1], and its text in a line that begins with [^1]:"
CALLOUT_ELSEWHERE = 'a callout begins with !!! note "Title" here, and its text is indented'
NOT_AN_ADDRESS = r"(?!\S+(?:[ \t]+[\"'(][^\n]*)?$)\S"
MARK = r"(?:[-*+]|\d+\.)"
IS_LOCAL = "is on your own computer: name the file, as in [text](file.md)"
A_TASK = "a task is written - [ ] or - [x], with its text after it"
ELSEWHERE = tuple(  # what other programs understand, or nobody, and what to write instead
    (re.compile(pattern, re.MULTILINE), wrong)
    for pattern, wrong in (
        (r"^(?:<{7}|>{7})(?: |$)", "two versions of the text are left here: keep one of them"),
        (r"\A---\n\w+:", "put the lines between --- at the top of the file, only once"),
        (r"\{\{[^\n]*?\}\}|\{%[^\n]*?%\}", "is not filled in here: write the text itself"),
        (r"!?\[\[[^\[\]\n]+\]\]", "a link is written [text](file.md), a picture ![text](file.png)"),
        (r"^> ?\[!\w+\]|^:{3,}[ \t]*\w*", CALLOUT_ELSEWHERE),
        (r"\[/[a-z]\w*\]", "is a command of another program, and does nothing here: delete it"),
        (rf"\^\[|^\[\d{{1,3}}\]:?[ \t]+{NOT_AN_ADDRESS}", NOTE_ELSEWHERE),
        (r"\\$(?<=[^\\\n]\\)", "\\ does not break a line: end it with two spaces"),
        (r"^[ \t]*\d{1,2}\)[ \t]+\S", "a numbered list is written with periods: 1."),
        (r"^(?:[-+]|\d{1,2}\.)(?=[A-Za-z]{2})", "a list needs a space after its marker"),
        (
            r"^(?P<by> *)(?:[-*+]|\d{1,2}\.)[ \t][^\n]*\n(?P=by) {1,3}(?:[-*+]|\d{1,2}\.)[ \t]+\S",
            "a list inside the list below has to be indented by four spaces",
        ),
        (r"\[\](?<!!\[\])\((?=[^)\s])", "the link has no text: write it between [ and ]"),
        (r"\{:?[^{}\n]*=[\u201c\u201d][^{}\n]*\}", 'quotation marks have to be straight here: "'),
        (r"^(?:TODO|TBD|FIXME)\b|\b(?:TODO|TBD|FIXME)(?=[:\])])", "is still to be written"),
        (r"^\+[-=+]{3,}\+$|^[^\s|#][^\n]*\t[^\n]*\n[^\s|][^\n]*\t\S", TABLE_ELSEWHERE),
        (rf"^(?![ \t]*{MARK}[ \t]+\[[ xX]\] )[ \t]*{MARK}?[ \t]*\[ *[xX]? *\](?![(\[:\w])", A_TASK),
        (r"https?://(?:localhost|127\.0\.0\.1)\b", IS_LOCAL),
        (r"\u3010[^\u3011\n]*\u3011|:contentReference\[", "isn't a source: name the source itself"),
        (r"&(?:nbsp|amp|lt|gt|quot|[mn]dash)\b(?!;)", "is shown as it is: add ; to its end"),
    )
)
LINKED = re.compile(r"(?m)^ {0,3}\[(?!\^)[^\[\]\n]+\]:[^\n]*$|\[[^\[\]\n]*\]\([^()\n]*\)")
INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\u200b\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)
BARE = re.compile(  # each kind with what comes before its address in a link
    r"(?<![(<\"'=\[/\w>:.])(?:(?P<web>https?://[^\s<>()\[\]]+)|(?P<www>www\.[\w-]+\.[^\s<>()\[\]]+)"
    r"|(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+))"
)
BEGINS = {"web": "", "www": "https://", "mail": "mailto:"}
ENTITY = re.compile(r"&([A-Za-z][a-z]\w*;)")


def blocks(text: str) -> Found:
    """Find callouts, tabs, captions and includes with an invalid first line."""
    for found in CALLOUT_MEANT.finditer(text) if "!!!" in text or "???" in text else ():
        line = CALLOUT.fullmatch(found[0])
        unknown = {*(line["kinds"] or "note").split()} - KINDS if line else ()
        if not line:
            yield found.start(), 'this is not a callout: write !!! note "Title", with both quotes'
        elif unknown:
            known = "note, tip, success, question, warning, danger, example, quote"
            yield (
                found.start(),
                f"{unknown.pop()} isn't a kind of callout. Use one of these: {known}",
            )
    for found in TAB_MEANT.finditer(text) if "===" in text else ():
        if not TAB.fullmatch(found[0]):
            yield found.start(), 'a tab begins with === "Title", with both quotes'
    for found in INCLUDE_MEANT.finditer(text) if "-8<-" in text else ():
        if not INCLUDE.fullmatch(found[0]):
            yield found.start(), 'this includes nothing: write --8<-- "glossary.md"'
    yield from _captions(text)


def _captions(text: str) -> Found:
    opened: list[int] = []
    for found in SLASHES.finditer(text) if "///" in text else ():
        name = found[0].strip(" \t/")
        if not BLOCK.fullmatch(found[0]):
            yield found.start(), "this isn't a block: write /// caption, the text below, and ///"
        if name:
            opened.append(found.start())
        elif opened:
            opened.pop()
        else:
            yield found.start(), "/// closes a block that was never opened"
    for at in opened:
        yield at, "this block never ends: add /// below its text"


def references(text: str) -> Found:
    """Find reference links without an address, and abbreviations without a colon."""
    if "][" in text:
        targets = {found[1].casefold() for found in TARGET.finditer(text)}
        for found in REFERENCE.finditer(text):
            name = found[2] or found[1]
            if name.casefold() not in targets and "-8<-" not in text:
                yield found.start(), f"the link has no address: add a line [{name}]: with it"
    for found in ABBREVIATION.finditer(text) if "*[" in text else ():
        yield found.start(), "an abbreviation needs a colon: *[ROI]: Return on investment"


def elsewhere(text: str) -> Found:
    """Look for what other programs understand, addresses that are no links, and wrong names."""
    for pattern, wrong in ELSEWHERE:
        for found in pattern.finditer(text):
            yield found.start(), f"{found[0]} {wrong}" if wrong.startswith("is ") else wrong
    if "://" in text or "www." in text or "@" in text:
        lines = LINKED.sub(lambda found: " " * len(found[0]), text)
        for found in BARE.finditer(lines):
            bare = found[0].rstrip(".,;:!?*_")
            address = BEGINS[found.lastgroup or "web"] + bare
            wrong = f"{bare} isn't a link yet: write <{address.removeprefix('mailto:')}>"
            yield found.start(), f"{wrong} or [text]({address})"
    for found in INVISIBLE.finditer(text):
        before = text[: found.start()].rsplit(None, 1)[-1:]
        yield found.start(), f"an invisible character comes after {''.join(before)!r}: delete it"
    for found in ENTITY.finditer(text):
        if found[1] not in html5:
            yield found.start(), f"{found[0]} {NO_CHARACTER}: write the character itself"


def attributes(text: str) -> Found:
    """Find unclosed lists of attributes, and annotations without their list."""
    for found in UNCLOSED.finditer(text):
        yield found.start(), "{ has no end: add }"
    for found in ANNOTATED.finditer(text):
        yield found.start(), "annotations are missing: add an empty line and a numbered list below"
    for found in LIST.finditer(text):
        names = re.findall(r"\.([\w-]+)", found["list"] or "") or (found["names"] or "").split()
        for name in names:
            if name not in CLASSES and (near := get_close_matches(name, CLASSES, 1, 0.75)):
                yield found.start(), f"{name} changes nothing: did you mean {near[0]}?"


def formulas(text: str) -> Found:
    """Find math, which pages don't render; prices in dollars aren't math."""
    for found in FORMULA.finditer(text) if "$" in text or "\\" in text else ():
        inside = found["one"] or found["two"] or found["three"]
        is_strict = inside and (inside[0].isdigit() or found["three"])  # a price, or \[sic\]
        if not inside or (SIGNS if is_strict else MATH).search(inside):
            yield found.start(), "formulas are not shown: use words or a picture"


def tags(text: str) -> Found:
    """Find words in angle brackets, which readers would not see."""
    for found in TAG.finditer(text) if "<" in text else ():
        if found[1].lower() not in TAGS:
            wrong = f"<{found[1]}> isn't HTML, so readers would see nothing: write &lt; for <"
            yield found.start(), wrong


def tables(text: str) -> Found:
    """Find invalid tables, and rows that lose a cell."""
    for found in RULE.finditer(text) if "|" in text else ():
        *_, above, head = ["", "", *text[: found.start()].splitlines()]
        if "|" not in head or "|" not in found[0]:
            continue
        columns = _cells(head)
        if above.strip() and not above.startswith("#"):
            yield found.start() - 1, "a table needs an empty line above it"
        elif _cells(found[0]) != columns:
            wrong = f"this line needs as many cells as the one above it, {columns}"
            yield found.start(), wrong
        else:
            yield from _rows(text, found.end() + 1, columns)


def _rows(text: str, at: int, columns: int) -> Found:
    for line in takewhile(str.strip, text[at:].splitlines()):
        if not PIPE.search(line):
            yield at, "the text after a table needs an empty line above it"
            return
        if (cells := _cells(line)) > columns:
            wrong = f"this row has {cells} cells, and the table has {columns} columns"
            yield at, f"{wrong}: write \\| for a | inside a cell"
        at += len(line) + 1


def _cells(line: str) -> int:
    line = line.strip()
    bare = line.removeprefix("|")
    bare = bare[:-1] if bare.endswith("|") and not bare.endswith("\\|") else bare
    return len(PIPE.findall(bare)) + 1
