"""Find mistyped syntax that would be printed literally or lost. Pure.

Each function takes a text without code, and yields positions with advice.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from html.entities import html5
from itertools import takewhile

from . import placeholders

Found = Iterator[tuple[int, str]]

# In the patterns below: kinds of callouts, and two words that place one; HTML that pages show, that
# browsers don't run here, and that is outdated; the beginning of an item.
WORDS = {
    "KINDS": "note|abstract|summary|tldr|info|todo|tip|hint|important|success|check|done|question"
    "|help|faq|warning|caution|attention|failure|fail|missing|danger|error|bug|example|quote|cite"
    "|snippet|seealso|inline|end|annotate",
    "TAGS": "a|abbr|address|article|aside|b|bdi|bdo|blockquote|br|caption|cite|code|col|colgroup"
    "|data|dd|del|details|dfn|div|dl|dt|em|figcaption|figure|footer|h[1-6]|header|hgroup|hr|i|img"
    "|ins|kbd|li|main|mark|nav|ol|p|picture|pre|q|rp|rt|ruby|s|samp|section|small|source|span"
    "|strong|sub|summary|sup|table|tbody|td|tfoot|th|thead|time|tr|track|u|ul|var|wbr|svg|path|g"
    "|circle|rect|line|polyline|polygon|text|title|desc|defs|use",
    "STOPPED": "script|iframe|style|object|embed|form|input|button|select|textarea|link|meta|base"
    "|video|audio|canvas|template",
    "OUTDATED": "font|center|strike|big|tt",
    "MARK": r"(?:[-*+]|\d+\.)",
    "WRITTEN": "|".join(placeholders.NAMES),
}
# What is wrong, and below it what to write instead; {0} is the text found, and {1} a part of it.
SYNTAX = r"""
^[ \t]*!!!(?! ?[\w-])
^[ \t]*\?\?\?(?!\+? *\S)
^[ \t]*(?:!!!|\?\?\?)(?!\+? ?(?:[\w-]+(?: +[\w-]+)*)?(?: +"[^"\n]*")? *$)
    this is not a callout: write !!! note "Title", with both quotes
^[ \t]*(?:!!!|\?\?\?\+?) ?(?:(?:KINDS) +)*(?!(?:KINDS)\b)([\w-]+)(?: |$)
    {1} isn't a kind of callout. Use note, tip, success, question, warning, danger, example or quote
^[ \t]*===[+!]*[ \t]+(?!"[^"\n]*" *$)\S
    a tab begins with === "Title", with both quotes
^( *)(?:(?:!!!|\?\?\?\+?) ?\S|===\+? +")[^\n]*+\n*+(?!\1    |\t)
    the text of this block has to be indented by four spaces
^(?![ \t]*-+8<-+(?:[ \t]+"[^"\n]+")?[ \t]*$)[^\n]*-8<-
    this includes nothing: write --8<-- "glossary.md"
^[ \t]*/{3,}(?! *(?:(?:figure-|table-)?caption *(?:\|.*)?)?$)
    this isn't a block: write /// caption, the text below, and ///
^\*\[[^\[\]\n]+\](?=[ \t]|:[ \t]*$)
    an abbreviation needs a colon: *[ROI]: Return on investment
\{:?[ \t]*(?:[.#][A-Za-z][\w-]*|\w+=["'])[^{}\n]*$
\{[ \t]*(?i:WRITTEN)\b(?![ \t]*\})
    {{ has no end: add }}
\{:?[^{}\n]*\.annotate\b[^{}\n]*\}[ \t]*$(?![\s>]*1[.)][ \t])
    annotations are missing: add an empty line and a numbered list below
\$\$[^$]+\$\$
\$(?<![\w$\\]\$)(?:[a-zA-Z]|(?=\S)[^$\n]*[\\^_={}][^$\n]*(?<=\S))\$(?!\w)
\\\((?:[a-zA-Z]|[^\n]{0,80}?[\\^_={}][^\n]{0,80}?)\\\)
\\\[[^\]]{0,200}?[\\^_={}][^\]]{0,200}?\\\]
    formulas are not shown: use words or a picture
</?(?!(?i:TAGS|STOPPED|OUTDATED)[\s/>])([A-Za-z][\w-]*)(?=[\s/>])[^<>]*>
    <{1}> isn't HTML, so readers would see nothing: write &lt; for <
<((?i:STOPPED))\b
    <{1}> does not work here: the site's policy stops it. Link to what it would show instead
<((?i:OUTDATED))(?=[\s>])
    <{1}> is outdated HTML: delete it and its </{1}>
<[A-Za-z][^<>]*\s((?i:style|on[a-z]+))\s*=
\{:?[^{}\n]*\b(style)\s*=
    {1}= does nothing here: the site's security policy stops it
^#[^#\s]
    a heading needs a space after its #, or write \# for the sign
^(?:#[ \t]+|#{2,6}[ \t]*)$
    the heading has no text
^#{7}
    a heading begins with ## to ######
^#[ \t]+\S
<h1\b
\n(?<=\S\n)=+[ \t]*$
    only the title may be a heading of this size: begin with ##
(?<![^\n]\n)^(?!\{:)[^\s#|<][^\n]*\n-+[ \t]*$
    becomes a heading: add an empty line below it, or begin it with ## to make it a heading
\[[^\[\]\n]+\] +\((?:https?:|/|[\w./-]+\.md)
    a link has no space between ] and (
\([^()\n]+\)\[(?:https?:|www\.|/|[\w./-]+\.md)[^\[\]\n]*\]
    a link is written [text](address), with the text first
!\[\s*\]\(
    the picture has no description: write what it shows between ![ and ]
(?i:!\[ *((?:alt|image|picture|photo|screenshot)(?:[ -]?(?:alt|text|description))*[ \d._-]*) *\]\()
!\[ *([^\s\]]+\.(?i:png|jpe?g|webp|gif|svg|heic)) *\]\(
    '{1}' does not describe the picture: write what it shows
!\[[^\]\n]*\]\(([^()\s:]+\.(?:md|pdf|html?|csv|xlsx|pptx|zip))\)
    {1} isn't a picture: write [text]({1})
!\[[^\]\n]*\]\( *<?https?:
    a picture on another site is not shown: save it in docs/, and name the file
\)\{[^{}\n]*\b(width|height)=["']?+(?!\d+(?:px)?["'\s}])
    {1} is a number of pixels, such as {1}="300"
(?i:<a\b[^>]*?\shref=["'](?![/#]|[a-z]+:|data:)([^"'>]+)["'])
    in HTML, an address begins with /: write [text]({1}) instead
(?i:<img\b[^>]*?\ssrc=["'](?![/#]|[a-z]+:|data:)([^"'>]+)["'])
    in HTML, an address begins with /: write ![text]({1}) instead
(?i:<img\b(?![^>]*\balt\s*=\s*(?:"[^"]+"|'[^']+'))[^>]*>)
    the picture has no description: add alt="what it shows"
^[ \t]*(?:[\u2022\u00b7\u25aa\u25cf\u2023\u25e6][ \t\u00a0]*|\u2013[ \t\u00a0]+)\S
    a list is written with a - and a space before each item
^(?:<{7}|>{7})(?: |$)
    two versions of the text are left here: keep one of them
\A---\n\w+:
    put the lines between --- at the top of the file, only once
\{\{[^\n]*?\}\}|\{%[^\n]*?%\}
    {0} is not filled in here: write the text itself
\[\[[^\[\]\n]+\]\]
    a link is written [text](file.md), a picture ![text](file.png)
^> ?\[!\w+\]
^:{3,}[ \t]*\w*
    a callout begins with !!! note "Title" here, and its text is indented
\[/[a-z]\w*\]
    {0} is a command of another program, and does nothing here: delete it
\^\[
^\[\d{1,3}\]:?[ \t]+(?!\S+(?:[ \t]+["'(][^\n]*)?$)\S
    a footnote is written [^1], and its text in a line that begins with [^1]:
\\$(?<=[^\\\n]\\)
    \ does not break a line: end it with two spaces
^[ \t]*\d{1,2}\)[ \t]+\S
    a numbered list is written with periods: 1.
^(?:[-+]|\d{1,2}\.)(?=[A-Za-z]{2})
    a list needs a space after its marker
^(?P<by> *)(?:[-*+]|\d{1,2}\.)[ \t][^\n]*\n(?P=by) {1,3}(?:[-*+]|\d{1,2}\.)[ \t]+\S
    a list inside the list below has to be indented by four spaces
\[\](?<!!\[\])\((?=[^)\s])
    the link has no text: write it between [ and ]
\{:?[^{}\n]*=[\u201c\u201d][^{}\n]*\}
    quotation marks have to be straight here: "
(?:TODO|TBD|FIXME)\b(?:(?<=^TODO)|(?<=^TBD)|(?<=^FIXME)|(?=[:\])]))
    {0} is still to be written
^\+[-=+]{3,}\+$
^[^\s|#][^\n]*\t[^\n]*\n[^\s|][^\n]*\t\S
    a table is written | a | b |, with |---|---| below its first line
^(?![ \t]*MARK[ \t]+\[[ xX]\] )[ \t]*MARK?[ \t]*\[ *[xX]? *\](?![(\[:\w])
^[ \t]*MARK[ \t]+\[(?: \](?=\w)|-\])
    a task is written - [ ] or - [x], with its text after it
^:(?=[A-Za-z])(?![\w+-]+:)
    a definition needs a space after its colon
<https?://[^<>\n]*[ \t][^<>\n]*>
    {0} isn't a link: leave out the space
https?://(?:localhost|127\.|10\.\d+\.\d|192\.168\.)[\d.]*
    {0} is on your own computer or network: name the file, as in [text](file.md)
\u3010[^\u3011\n]*\u3011|:contentReference\[
    isn't a source: name the source itself
&(?:nbsp|amp|lt|gt|quot|[mn]dash|copy|reg)\b(?!;)
    {0} is shown as it is: add ; to its end
"""
REFERENCE = re.compile(r"\[(?!\^)([^\[\]\n]+)\]\[([^\[\]\n]*)\]")
TARGET = re.compile(r"(?m)^ {0,3}\[(?!\^)([^\[\]\n]+)\]:[ \t]*\S")
LIST = re.compile(r"\{:?(?P<list>[^{}\n]*)\}|class=[\"'](?P<names>[^\"'\n]*)[\"']")
CLASSES = (  # with an effect in our design
    *("pull", "line", "timed", "aside", "annotate", "md-button", "md-button--primary"),
    *("grid", "cards", "card"),
)
DASHES = re.compile(r"\|?[\s:|-]*-[\s:|-]*")
RULE = re.compile(r"(?m)^[ \t:|-]*-[ \t:|-]*$")  # below the first line of a table
PIPE = re.compile(r"(?<!\\)\|")
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


def patterns(table: str) -> Iterator[tuple[re.Pattern[str], str]]:
    """Yield the patterns of a table like `SYNTAX`, each with the advice below it."""
    waiting: list[str] = []
    for line in table.strip("\n").splitlines():
        if not line.startswith("    "):
            waiting.append(line)
            continue
        for pattern in waiting:
            for name, words in WORDS.items():
                pattern = pattern.replace(name, words)
            yield re.compile(pattern, re.MULTILINE), line.strip()
        waiting = []


PATTERNS = tuple(patterns(SYNTAX))


def syntax(text: str) -> Found:
    """Find what a pattern alone can tell."""
    for pattern, wrong in PATTERNS:
        for found in pattern.finditer(text):
            yield found.start(), wrong.format(found[0], *found.groups())


def references(text: str) -> Found:
    """Find reference links without an address."""
    targets = {found[1].casefold() for found in TARGET.finditer(text)} if "][" in text else ()
    for found in REFERENCE.finditer(text) if "][" in text and "-8<-" not in text else ():
        name = found[2] or found[1]
        if name.casefold() not in targets:
            yield found.start(), f"the link has no address: add a line [{name}]: with it"


def classes(text: str) -> Found:
    """Find classes that change nothing, but nearly have the name of one that does."""
    for found in LIST.finditer(text):
        names = re.findall(r"\.([\w-]+)", found["list"] or "") or (found["names"] or "").split()
        for name in names:
            if name not in CLASSES and (near := get_close_matches(name, CLASSES, 1, 0.75)):
                yield found.start(), f"{name} changes nothing: did you mean {near[0]}?"
        for name in {*(found["list"] or "").split()} & {*CLASSES}:
            yield found.start(), f"{name} changes nothing: write .{name}"


def characters(text: str) -> Found:
    """Find addresses that are no links, invisible characters, and wrong names of characters."""
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
            yield (
                found.start(),
                f"{found[0]} isn't the name of a character: write the character itself",
            )


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
