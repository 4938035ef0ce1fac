"""Texts for people contain no word from the list of unusual ones."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICE = ROOT / "lead_service"
READ = sorted(
    [
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "docs").glob("*.yml"),
        *(ROOT / "handbook").rglob("*.md"),
        *ROOT.glob("*.md"),
        *(path for path in (SERVICE / "templates").rglob("*") if path.is_file()),
        *(ROOT / "site_overrides").rglob("*.html"),
        *(ROOT / "site_overrides").rglob("*.js"),
        *(SERVICE / "static").rglob("*.js"),
        *SERVICE.rglob("*.py"),
        *SERVICE.rglob("*.yml"),
    ]
)
INSTEAD = {
    r"who(?:m|so)?ever": "anyone who",
    r"somebody|anybody|nobody": "someone, anyone, no one",
    r"mails?(?! server| provider| program)|mailed|mailing": "email",
    r"any more(?! \w+s\b)|no longer any": "anymore, or no longer",
    r"cancell(?:ed|ing)|travell\w+|labell\w+|afterwards|towards|whilst|amongst": "American forms",
    r"(?:organ|recogn|real|prior|author)is(?:e|es|ed|ing|ation)": "American forms",
    r"behaviours?|colours?|favour\w*|centres?|licence|programme|enquir\w+": "American forms",
    r"handovers?|running costs?|under way|in (?:each|every) team": "American forms",
    r"(?:has|have) got|got worse|upon|shall|noes|never yet": "plain words",
    r"and nothing else|nothing else of": "only",
    r"one press|(?:press|pressed|presses) (?:the|a|this) (?:button|link)": "click, choose",
    r"mend(?:s|ed|ing)?|used up": "fix, used",
    r"stands? (?:in (?:a|your) .*way|beside|above|below|there)": "is",
    r"lets? in|let (?:them|you|someone) in|takes? back|taken back|took back": "invite, undo",
    r"goes by itself|(?:go|happens?|runs?) by (?:itself|themselves)": "automatically",
    r"as it stands|at its elbow|is called so|it was so|it is so|is so from": "plain words",
    r"phoned|phones us|ticks?|ticked|unticked|(?:is|falls|fell) ill|agency staff": "American forms",
    r"(?:five|ten|twenty|half|quarter) past|fortnight|at the weekend": "American forms",
    r"should you|than it was|IANA": "if you, plain words",
    r"read(?:s|ing)? a question a step|an? \w+ an? (?:article|step)": "per",
}
EXCEPT = {
    ("brief.yml", "nobody"),  # a word that visitors write
    ("operations.md", "mail"),  # names of settings at SendGrid
}
CODE = re.compile(r"`[^`]*`|```.*?```|https?://\S+|\{#.*?#\}|<!--.*?-->|(?<=\]\()[^)]*", re.DOTALL)
JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
TAG = re.compile(r"<[a-z/!][^>]*>", re.DOTALL | re.IGNORECASE)


def quoted(code: re.Match) -> str:
    """Return the texts and attributes that a piece of code shows."""
    texts = re.findall(r'"([^"]*)"', code[0])
    return " ".join(f" {text} ." for text in texts if " " in text)


def sentences(path: Path) -> str:
    """Return a file's texts for people, without code, docstrings and comments."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        return " . ".join(literals(text))
    if path.suffix == ".js":
        return " ".join(re.findall(r'"([^"\n]* [^"\n]*)"', text))
    if path.suffix == ".yml":
        text = re.sub(r"(?m)^\s*#.*$|^\s*(?:- )?(?:id: [\w-]+$|[\w-]+:)", " ", text)
    return TAG.sub(quoted, JINJA.sub(quoted, CODE.sub(" ", text)))


def literals(source: str) -> Iterator[str]:
    """Yield a program's string literals, except docstrings, names and keys."""
    tree = ast.parse(source)
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    for node in texts:
        if isinstance(node.value, str) and " " in node.value and id(node) not in docstrings:
            yield re.sub(r"'[\w ]*'|\S+@\S+", " ", CODE.sub(" ", node.value))


def faults(path: Path) -> Iterator[str]:
    said = sentences(path)
    for words, plain in INSTEAD.items():
        for match in re.finditer(rf"(?<![\w./@-])(?:{words})(?![\w@-])", said, re.IGNORECASE):
            if (path.name, match[0].lower()) in EXCEPT:
                continue
            around = " ".join(said[max(0, match.start() - 40) : match.end() + 40].split())
            yield f"{path.relative_to(ROOT)}: … {around} … (write: {plain})"


def test_texts_for_people_are_plain_american_english():
    assert len(READ) > 300
    assert [fault for path in READ for fault in faults(path)] == []


def test_a_word_is_found_in_a_page_a_label_a_message_and_a_text_and_not_in_code(tmp_path):
    page = '<p class="mail">{{ "Nobody is here" if mail }} {# whoever #}<b title="any more of">'
    (tmp_path / "a.html").write_text(page + "Whoever `mail` <!-- mended --> mends</p>", "utf-8")
    program = '"""Whoever."""\nkey = "mail"\nsays = "It was mended."\n'
    (tmp_path / "a.py").write_text(program, "utf-8")
    found = [re.findall(r"(?i)nobody|whoever|mend\w*|any more|mail", sentences(tmp_path / name))
             for name in ("a.html", "a.py")]  # fmt: skip
    assert found == [["Nobody", "any more", "Whoever", "mends"], ["mended"]]
