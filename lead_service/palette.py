"""The colors of the product, for its styles, emails, PDF and cards. Pure.

Warm paper, deep ink, an accent for action, and six hues reserved for the six steps. `bad`
marks errors, and `danger` the buttons whose work cannot be undone.
"""

import re
from collections.abc import Mapping, Sequence

COLORS = {  # light, dark
    "paper": ("#fbf7f0", "#17140f"),
    "paper-2": ("#f3ecdf", "#211c16"),
    "ink": ("#1f1a14", "#efe8dc"),
    "ink-2": ("#5f564a", "#b5a998"),
    "line": ("#d9cebc", "#3d362c"),
    "accent": ("#a8321c", "#e86444"),
    "accent-ink": ("#fff8f0", "#1c0a05"),
    "danger": ("#5d1420", "#b23a52"),
    "danger-ink": ("#fff4f0", "#ffffff"),
    "focus": ("#1b5fa8", "#8cbcf2"),
    "good": ("#2f6a3c", "#8fce9c"),
    "bad": ("#9c1450", "#ff8fb0"),
    "hue-assess": ("#3f5f8c", "#94b3de"),
    "hue-clarify": ("#1b6c70", "#73c1c1"),
    "hue-transform": ("#77507f", "#c9a3d1"),
    "hue-implement": ("#626421", "#bcbe72"),
    "hue-organize": ("#8a5a12", "#dcad62"),
    "hue-nurture": ("#3a6d48", "#8fc69d"),
}
LIGHT = {name: light for name, (light, _) in COLORS.items()}
DARK = {name: dark for name, (_, dark) in COLORS.items()}
# Foreground and background pairs, and the contrast they need (WCAG 2.2, 1.4.3 and 1.4.11).
TEXT = ("ink", "ink-2", "accent", "good", "bad", *(name for name in COLORS if "hue-" in name))
PAIRS = (
    *((text, paper, 4.5) for text in TEXT for paper in ("paper", "paper-2")),
    ("accent-ink", "accent", 4.5),
    ("danger-ink", "danger", 4.5),
    ("focus", "paper", 3.0),
)
COLOR = re.compile(r"#[0-9a-f]{6}")


def use(chosen: Mapping[str, Sequence[str]]) -> None:
    """Replace the default colors with the practice's own, each in light and in dark.

    `ValueError` has a line for each unknown name, invalid color, and pair with too little contrast.
    """
    faults, known = [], dict(COLORS)
    for name, pair in chosen.items():
        if name not in COLORS:
            faults.append(f"{name}: is not one of the colors: {', '.join(COLORS)}")
        elif len(pair) != 2 or not all(COLOR.fullmatch(str(color)) for color in pair):
            wanted = 'needs two colors, in light and in dark: ["#a8321c", "#e86444"]'
            faults.append(f"{name}: {wanted}")
        else:
            known[name] = (pair[0], pair[1])
    for place, (word, scheme) in enumerate((("light", LIGHT), ("dark", DARK))):
        scheme.update({name: pair[place] for name, pair in known.items()})
        for color, ground, needed in PAIRS:
            if (found := contrast(scheme[color], scheme[ground])) < needed:
                faults.append(
                    f"{color}: is hard to read on {ground} in {word}: the contrast is {found:.1f}, "
                    f"and it has to be {needed} or more"
                )
    if faults:
        raise ValueError("\n".join(faults))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, 1 to 21, as WCAG 2.2 defines it."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    """Return the relative luminance of a #rrggbb color, 0 to 1."""
    channels = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def css() -> str:
    """Return the custom properties: `light-dark()`, after plain light ones for older browsers."""
    plain = "".join(f"--{name}: {light};" for name, light in LIGHT.items())
    both = "".join(f"--{name}: light-dark({one}, {DARK[name]});" for name, one in LIGHT.items())
    return (
        f":root {{color-scheme: light;{plain}}}\n"
        f"@supports (color: light-dark(#000, #fff)) {{:root {{color-scheme: light dark;{both}}}}}\n"
    )
