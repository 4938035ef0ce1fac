"""Text without a sign of Markdown is passed over, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st
from markdown import Markdown

from lead_service.publishing.inline_markdown import Inline

EXTENSIONS = ["attr_list", "footnotes", "tables", "toc"]
PIECES = ["word", " ", "  \n", "\n", "\n\n", "*", "**", "_", "`", "[a](b)", "![a](b)", "<b>", "<"]
PIECES += [
    "&amp;",
    "&",
    "\\*",
    "[^1]",
    "[^1]: note",
    "<a@b.test>",
    "<https://a.test>",
    "{: .pull }",
]
PIECES += ["# ", "- ", "> ", "|", "é", "a.b", '"', ":", "@", "]", "!"]
texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@given(texts)
def test_every_text_becomes_what_the_library_makes_of_it(text):
    theirs = Markdown(extensions=EXTENSIONS).convert(text)
    assert Markdown(extensions=[*EXTENSIONS, Inline()]).convert(text) == theirs


def test_text_without_signs_is_passed_over():
    md = Markdown(extensions=[Inline()])
    for pattern in md.inlinePatterns:
        pattern.getCompiledRegExp = None  # whoever tried it would fail
    assert md.convert("Plain words: nothing to look for.") == (
        "<p>Plain words: nothing to look for.</p>"
    )
