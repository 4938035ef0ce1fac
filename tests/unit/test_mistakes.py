"""An editor's mistakes, and the build's messages about them."""

from datetime import date

import pytest
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

from lead_service.publishing import front_matter
from lead_service.publishing.faults import mistakes

IN_TEXT = (
    ("", "the page has no text"),
    ("Text.\n\n# A title", "3: only the title may be a heading of this size: begin with ##"),
    ("## A\n\n#### B", "3: a heading of this size needs one above it: write ###"),
    ("#Heading", "1: a heading needs a space after its #"),
    ("#1 in class", "or write \\# for the sign"),
    ("Text.\n\n## ", "3: the heading has no text"),
    ("####### A", "1: a heading begins with ## to ######"),
    ("This is <b>bold.", "1: <b> has no end: add </b>"),
    ("> A line.\n{: pull }", "2: pull changes nothing: write .pull"),
    ("It has {steps.", "1: { has no end: add }"),
    ("![The price list](prices.md)", "1: prices.md isn't a picture: write [text](prices.md)"),
    ("[a](tel:ask)", "1: tel:ask isn't a phone number"),
    ("- [-] a", "1: a task is written - [ ] or - [x]"),
    ("* [ ]a", "1: a task is written - [ ] or - [x]"),
    ("A &copy 2026", "1: &copy is shown as it is: add ; to its end"),
    ("*[ROI]:", "1: an abbreviation needs a colon"),
    ("See <https://b.example /c>.", "1: <https://b.example /c> isn't a link"),
    ("[a](http://192.168.1.2/b/)", "1: http://192.168.1.2 is on your own"),
    ("Term\n:its meaning", "2: a definition needs a space after its colon"),
    ("![](a.png)", "1: the picture has no description"),
    ("![a](https://example.com/a.png)", "1: a picture on another site is not shown"),
    ("A claim.[^9]", "1: the footnote has no text: add a line [^9]:"),
    ("A claim.\n\n[^1]: Unused.", "3: no place in the text refers to this footnote"),
    ("[a](htp://example.com)", "1: htp: isn't a kind of address"),
    ("[a](http:/example.com)", "1: http:/example.com isn't an address"),
    ("[a](www.example.com)", "1: write https:// before www.example.com"),
    ("[a](my file.md)", "1: the address 'my file.md' has a space"),
    ("[a]()", "1: the link has no address"),
    ("[a] (https://example.com)", "1: a link has no space between ] and ("),
    ("(a)[https://example.com]", "1: a link is written [text](address)"),
    ("Text\n\n<script>x</script>", "3: <script> does not work here"),
    ('<p style="color: red">A</p>', "1: style= does nothing here"),
    ('A\n{: style="color: red" }', "2: style= does nothing here"),
    ("A list:\n- one\n- two", "2: a list needs an empty line above it"),
    ("| a | b |\n| 1 | 2 |", "1: a table needs a line such as |---|---|"),
    ("Text.\n<!-- hidden\n\nMore.", "2: a comment begins here and never ends"),
    ('<div class="grid" markdown>\n\nText.', "1: <div> has no end: add </div>"),
    ("Text.</div>", "1: </div> closes what was never opened"),
    ("Text.\n\n• one", "3: a list is written with a -"),
    ("```\ncode", "1: a code block begins here and never ends"),
    ("!!! note\nText.", "1: the text of this block has to be indented"),
    ('=== "A"\n\nText.', "1: the text of this block has to be indented"),
    ('![a](a.png){ width="50%" }', '1: width is a number of pixels, such as width="300"'),
    ("[a](example.com/b)", "1: write https:// before example.com/b"),
    ("[a](me@example.com)", "1: write mailto: before me@example.com"),
    ("[a](C:\\docs\\a.md)", "1: C:\\docs\\a.md is on your computer: put the file in docs/"),
    ("![a](img\\a.png)", "1: write / for \\ in img\\a.png"),
    ("In {question}.", "1: {question} isn't a placeholder: did you mean {questions}?"),
    ("It takes { callminutes }.", "1: { callminutes } isn't a placeholder: did you mean {call_min"),
    ("/// captoin\nA\n///", "1: this isn't a block: write /// caption"),
    ("Text\n\n/// caption\nA", "3: this block has no end: add ///"),
    ('!!! note "T\n\n    A', '1: this is not a callout: write !!! note "Title", with both quotes'),
    ('!!! notee "T"\n\n    A', "1: notee isn't a kind of callout. Use note,"),
    ("=== A tab\n\n    A", '1: a tab begins with === "Title", with both quotes'),
    ("--8<-- glossary.md", '1: this includes nothing: write --8<-- "glossary.md"'),
    ("A [text][nope].", "1: the link has no address: add a line [nope]: with it"),
    ("*[ROI] Return", "1: an abbreviation needs a colon"),
    ("[B](/book/){ .md-button", "1: { has no end: add }"),
    ("Text (1)\n{ .annotate }\n\nMore.", "2: annotations are missing"),
    ("$$\nx^2\n$$", "1: formulas are not shown"),
    ("Let \\(x\\) be.", "1: formulas are not shown"),
    ("```mermaid\ngraph LR\n```", "1: diagrams and formulas are not drawn"),
    ("```python\na = 1  # (1)!\n```", "2: annotations in code are not shown"),
    ("Dear <name>,", "1: <name> isn't HTML, so readers would see nothing: write &lt;"),
    ("| a | b |\n|---|---|\n| 1 | 2 | 3 |", "3: this row has 3 cells, and the table has 2 columns"),
    ("| a | b |\n|---|\n| 1 | 2 |", "2: this line needs as many cells as the one above it, 2"),
    ("Text:\n| a | b |\n|---|---|\n| 1 | 2 |", "2: a table needs an empty line above it"),
    ("| a | b |\n|---|---|\n| 1 | 2 |\nText", "4: the text after a table needs an empty line"),
    ("A\n<<<<<<< HEAD\nb", "2: two versions of the text are left here"),
    ("---\ntitle: A\n---\nB", "1: put the lines between --- at the top of the file"),
    ("A {{ page.title }}", "1: {{ page.title }} is not filled in here"),
    ("See [[Another page]].", "1: a link is written [text](file.md)"),
    ("> [!NOTE]\n> A", "1: a callout begins with !!! note"),
    (":::note\nA\n:::"[:9], "1: a callout begins with !!! note"),
    ("A[/caption]", "1: [/caption] is a command of another program"),
    ("A^[a note].", "1: a footnote is written [^1]"),
    ("one\\\ntwo", "1: \\ does not break a line"),
    ("A\n\n1) one", "3: a numbered list is written with periods"),
    ("1.one", "1: a list needs a space after its marker"),
    ("- a\n  - b", "1: a list inside the list below has to be indented by four spaces"),
    ("[](a.md)", "1: the link has no text"),
    ("[a](b.md){ .c d=\u201ce\u201d }", "1: quotation marks have to be straight here"),
    ("A (TODO: write)", "1: TODO is still to be written"),
    ("A\x07b", "1: an invisible character"),
    (
        "See https://example.com/a.",
        "1: https://example.com/a isn't a link yet: write <https://exampl",
    ),
    ("See www.example.com.", "www.example.com isn't a link yet: write <https://www.example.com>"),
    ("Ask a@example.com.", "a@example.com> or [text](mailto:a@example.com)"),
    ("[a](mailto:ann)", "1: mailto:ann isn't an email address"),
    ("[a](b.md#Part One)", "write #part-one for the part of a page"),
    ("[a](tel: +1 2)", "'tel: +1 2' has a space: leave it out"),
    ("[a](http://127.0.0.1:8000/b/)", "1: http://127.0.0.1 is on your own computer"),
    ("![b.png](b.png)", "1: 'b.png' does not describe the picture"),
    ("![alt text](b.png)", "1: 'alt text' does not describe the picture"),
    ('<img src="b.png" alt="A">', "begins with /: write ![text](b.png) instead"),
    ("Heading\n---\nText", "or begin it with ## to make it a heading"),
    ("## A {#same}\n\n## B\n{: #same }", "4: another part of the page also has the id same"),
    ('<p id="a">A</p>\n\n## B {#a}', "3: another part of the page also has the id a"),
    ('A <font color="red">b</font>', "1: <font> is outdated HTML: delete it and its </font>"),
    ("1. a\n\nb\n\n2. c", "5: 2. is shown as 1.: indent the text"),
    ("a\tb\nc\td", "1: a table is written | a | b |"),
    ("+---+\n| a |\n+---+"[:5], "1: a table is written | a | b |"),
    ("- [] a", "1: a task is written - [ ] or - [x]"),
    ("A [1].\n\n[1]: Smith 2020", "3: a footnote is written [^1]"),
    ("A.\n{: .pul }", "2: pul changes nothing: did you mean pull?"),
    ("Said.\u30104\u2020source\u3011", "isn't a source: name the source itself"),
    ("A&nbsp b", "1: &nbsp is shown as it is: add ; to its end"),
    ("A&nbps;b", "1: &nbps; isn't the name of a character"),
    ("A.[^1]\n\n[^1]: B\n[^1]: C", "4: another footnote also has the name [^1]"),
)
NO_MISTAKES = (
    *("`[^9]` and `<script>`", "```html\n<script>\n# No heading\n```", "[a](#below)"),
    *("```\n!!! note\n\n    ```\n    <script>\n    ```\n```", "```\na\n```\n\n```\nb\n```"),
    *("[a](mailto:a@example.com)", "![a](b.png)", "[a](b.md 'A title')", "Five - or six\nof them."),
    *("A.[^1]\n\n[^1]: B.", "- a\n- b", "## A\n\n### B\n\n## C", "| a | b |\n|---|--:|\n| 1 | 2 |"),
    *("[a](https://de.wikipedia.org/wiki/A_(B))", "<!-- <script> -->", '!!! note ""\n\n    A.'),
    *("[a](/book/?from=b)", "Note: 10:30 is a time.", "\\#1 in class", "[a](b.md#c)"),
    *('=== "A"\n\n    ```\n    b\n    ```', "It costs $5, or $10 for a group of US$ payers."),
    *("`{question}` and `$x$`", "{Steps} of {its_questions}", "[a][b]\n\n[B]: /book/", "A [sic]."),
    *("a <b>b</b><br>c <https://example.com>", "[a](report.pdf) ![a](../b.png)", "1 < 2 > 1"),
    *('![a](b.png){ width="300" .c }', "![a](b.png){: height=20px }"),
    *("Text\n\n| a | b |\n|---|---|\n| 1 \\| 2 | 3 |\n\n/// caption\nA\n///", "A | b | c"),
    *("## A\n| a | b |\n|---|---|\n| 1 | 2 |",),
    *("*[Read it](/book/)*", "\\[I\\] paid $1 a day", "The \\(first\\) one"),
    *('!!! warning inline end "A"\n\n    B', '???+ note ""\n\n    B', "## A\n\n---\n\nB"),
    *("Text (1)\n{ .annotate }\n\n1.  A", "> A (1)\n> { .annotate }\n>\n> 1. A"),
    *("```\n# (see 1)\n```", "A\n===\n"[:1], "- a\n    - b\n- c", "[a]: https://b.example"),
    *("<https://b.example> and [https://b.example](https://b.example)", "Q&A; R&amp;D &eacute;"),
    *("[`a`](b.md)", "- `a`\n- b", "So says Ann[^1]: a.\n\n[^1]: B"),
    *("\u2014 Ann", "1. a\n\n    b\n\n2. c", "1.5 million", "[a](https://b.example/c?d=https://e.example)"),
    *("[see www.b.example](/c)", "<a@b.example>", "- [x] a\n- [ ] b"),
    *("A **B** <kbd>C</kbd> `<b>`", "- [x] b"),
    *("## A\n{: hidden }", "[a](tel:+1-202-555-0100)", "A:\n\n:material-x: B", "- [x] a"),
    *("[1]: https://b.example", "{ .pull }", "![A photo of Ann](b.png)", "@ann and AT&T", "Q\t4"),
)  # fmt: skip
NAMES = (
    ("insights/a.MD", "rename it to a.md"),
    ("insights/IMG_1.HEIC", "save it as JPEG, PNG or WebP"),
    ("insights/a.docx", "is a kind of file that the site does not publish"),
    ("insights/2026/a.md", "move it to insights/a.md"),
    ("insights/Über uns.md", "rename it to ueber-uns.md"),
    ("insights/My_Article.md", "rename it to my-article.md"),
    ("insights/a.md.txt", "rename it to a-md.md"),
    ("insights/.a.md", "its name begins with a dot"),
    ("insights/a.yml", "is a kind of file that the site does not publish"),
)
FRONT = "title: A\ndate: 2025-03-31\n"
IN_FRONT = (
    ("---\ntitle: A\ndate: 2026-13-40\n---\nText.", ":3: date: there is no such day as 2026-13-40"),
    ("---\ntitle: A: B\n---\nText.", ":2: a text on the same line as its key can't contain a"),
    (
        "---\ntitle: We are #1 in A\n---\nText.",
        ":2: everything from # on is lost: put quotes around the text",
    ),
    ('---\ntitle: "A\ndate: 1\n---\nText.', ":2: opens with a quotation mark"),
    ("---\ntitle: A\n\tdate: 1\n---\nText.", ":3: is indented with a tab"),
    ("---\ntitle: A\ntitle: B\n---\nText.", ":3: title: appears twice"),
    ("", ":1: the file is empty: begin the file with ---"),
    ("# A title\n\nText.", ":1: begin the file with ---, then title:"),
    ("\n---\ntitle: A\n---\nText.", ":1: begin the file with ---"),
    ("---\ntitle: A\n\nText.", ":1: the lines above the text have to end with a line of ---"),
    ("---\n- A\n---\nText.", ":2: begin the file with ---"),
    ("---\ntitle: Caf\xe9\n---\n".encode("cp1252"), ":2: is not UTF-8: choose this encoding"),
    ("---\ntitle: A\n---\n".encode("utf-16"), ":1: is not UTF-8: choose this encoding"),
)


@pytest.fixture
def read(tmp_path):
    def read(content: str | bytes):
        path = tmp_path / "insights" / "new.md"
        path.parent.mkdir()
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        file = File("insights/new.md", str(tmp_path), str(tmp_path), use_directory_urls=True)
        return front_matter.read(file)

    return read


@pytest.mark.parametrize(("source", "said"), IN_TEXT)
def test_a_mistake_in_a_text_is_named_with_its_line(source, said):
    found = [f"{line}: {message}" for line, message in mistakes.in_text(source)]
    assert len(found) == 1 and said in found[0]


@pytest.mark.parametrize("source", NO_MISTAKES)
def test_correct_text_has_no_mistakes(source):
    assert mistakes.in_text(source) == ()


@pytest.mark.parametrize(("path", "said"), NAMES)
def test_a_name_that_makes_no_address_is_refused_with_a_better_one(path, said):
    assert said in (mistakes.in_name(path) or "")


@pytest.mark.parametrize("path", ["insights/a-b-2.md", "people/a.jpg", "framework.yml", "a/._b.md"])
def test_other_names_are_good(path):
    assert mistakes.in_name(path) is None


@pytest.mark.parametrize(("source", "said"), IN_FRONT)
def test_front_matter_that_cannot_be_read_is_explained(read, source, said):
    with pytest.raises(PluginError) as error:
        read(source)
    assert f"insights/new.md{said}" in str(error.value)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("date: 2027-01-05", ":2: date: is in the future: add `publish: 2027-01-05`"),
        ("date: 2027-01-05\npublish: 2027-01-05", None),
        ("date: 2026-01-05\nupdated: 2026-01-01", ":3: updated: is before the article's date"),
        ("date: 2026-01-05\nupdated: 2027-01-01", ":3: updated: is in the future"),
        ("date: 0206-01-05", ":2: date: is before the year 2000"),
    ],
)
def test_days_that_cannot_be_are_refused(read, lines, said):
    front = read(f"---\n{lines}\n---\nText.\n")
    found = [*front.mistakes_in_days(date(2026, 11, 29))]
    assert found == [] if said is None else said in found[0]


def test_the_minutes_of_a_call_end_where_its_length_does():
    body = "It takes {call_minutes}.\n\n**0 to 5** A\n\n**5 to 30** B\n"
    assert [*mistakes.in_times(body, 3, 30)] == []
    [(line, said)] = mistakes.in_times(body, 3, 45)
    assert line == 7 and said.startswith("ends at 30, but the call in calls.yml takes 45 minutes")


def test_lines_count_from_the_top_of_the_file(read):
    front = read(f"---\n{FRONT}---\n\nText.\n\n![](a.png)\n")
    assert front.body.startswith("Text.")
    assert next(front.mistakes_in_text()).startswith("insights/new.md:8: the picture")


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<p>:material-nope: <code>:material-no:</code></p>", (":material-nope:", "no icon")),
        ("<p>This is ** bold **.</p>", ("**", "marks nothing: no space")),
        ("<p>This is **bold.</p>", ("**", "marks nothing: the other end of the bold text")),
        ("<p>Text. { .pull }</p>", ("{ .pull }", "marks nothing: put it directly")),
        ("<p>The ` code</p>", ("`", "begins code that never ends")),
        ("<p>A ==word</p>", ("==", "marks nothing: the other end")),
        ("<p>An *open one</p>", ("*", "Write \\* for a star")),
        ("<p>Press ++contrl++.</p>", ("++contrl++", "isn't a key")),
        ("<p>C++ and ++ctrl+c.</p>", ("++", "marks nothing: the other end")),
        ("<p>[The letter]letter.md)</p>", ("]letter.md)", "isn't a valid link")),
        ("<p>x^2</p>", ("^", "marks nothing: the other end is missing, or there")),
        ("<p>H~2O</p>", ("~", "Write x^2^ and H~2~O")),
        ("<p>A \\&lt;b></p>", ("\\<", "is shown with its \\: delete that")),
        ("<p>Old {++new</p>", ("{++", "marks nothing: the other end")),
        ("<p>{its_questions}</p>", ("{its_questions}", "give the page a `step`")),
    ],
)
def test_syntax_that_is_printed_literally_is_reported(html, said):
    text, _, message = next(mistakes.in_html(html))
    assert text == said[0] and said[1] in message


def test_syntax_after_a_backslash_is_meant_to_be_shown():
    html = "<p>A *b, ==c, { .pull } and *d.</p>"
    source = r"A \*b, \==c, \{ .pull \} and *d."
    assert [text for text, *_ in mistakes.in_html(html, source)] == ["*"]
