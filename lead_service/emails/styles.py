"""The look of emails: a style for each plain tag of a template. Pure.

Several email programs drop a style sheet, so everything but the dark scheme is inline.
"""

import re

from jinja2.ext import Extension
from markupsafe import Markup

from ..palette import DARK, LIGHT

SERIF = "Georgia, 'Source Serif 4', 'Times New Roman', serif"
SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
NAMES = {"light": LIGHT, "dark": DARK, "serif": Markup(SERIF), "sans": Markup(SANS)}
TAG = re.compile(
    r'<(h[12]|p|[ou]l|li|a|blockquote|table|t[hd]|span)\b(?: class="([\w-]+)")?(?![^>]*\bstyle=)'
)


def _styles() -> dict[str, str]:
    """Return the style of each plain tag, by its name and class.

    The practice's colors are known only after the settings were read.
    """
    soft, line, accent = (LIGHT[name] for name in ("ink-2", "line", "accent"))
    return {
        "h1": f"margin: 0 0 20px; font: 400 30px/1.2 {SERIF}; letter-spacing: -.01em;",
        "h2": f"margin: 32px 0 10px; font: 600 14px/1.4 {SANS}; color: {soft};",
        "p": "margin: 0 0 16px;",
        "p.kicker": f"margin: 0 0 8px; font: 600 14px/1.4 {SANS}; color: {soft};",
        "p.lead": f"margin: 0 0 16px; font: 400 21px/1.35 {SERIF};",
        "p.small": f"margin: 0 0 16px; font-size: 14px; line-height: 1.5; color: {soft};",
        "span.small": f"display: block; margin: 4px 0 0; font: 400 14px/1.5 {SANS}; color: {soft};",
        "ul": "margin: 0 0 16px; padding: 0 0 0 22px;",
        "ol": "margin: 0 0 16px; padding: 0 0 0 22px;",
        "li": "margin: 0 0 8px;",
        "a": f"color: {accent};",
        "blockquote": f"margin: 0 0 20px; padding: 0 0 0 16px; border-left: 3px solid {line};"
        " white-space: pre-line;",
        "table.facts": "width: 100%; border-collapse: collapse; margin: 0 0 24px;",
        "th": f"width: 96px; padding: 9px 16px 9px 0; border-top: 1px solid {line};"
        f" text-align: left; vertical-align: top; white-space: nowrap;"
        f" font: 400 14px/1.7 {SANS}; color: {soft};",
        "td.fact": f"padding: 9px 0; border-top: 1px solid {line}; vertical-align: top;"
        f" font: 400 16px/1.5 {SANS};",
    }


class InlineStyles(Extension):
    """Give the plain tags of email templates their style, once, when a template is loaded."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return a template's source with styles; one that is not HTML stays as it is."""
        if not (name or "").endswith(".html"):
            return source
        styles = _styles()

        def styled(tag: re.Match[str]) -> str:
            style = styles.get(f"{tag[1]}.{tag[2]}") or styles.get(tag[1])
            return f'{tag[0]} style="{style}"' if style else tag[0]

        return TAG.sub(styled, source)
