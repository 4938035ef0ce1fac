"""The colors of the product, for its styles, emails, PDF and cards. Pure.

Warm paper, deep ink, an accent for action, and six hues that belong to the six steps alone. `bad`
marks errors, and `danger` the buttons whose work cannot be undone.
"""

COLORS = {  # in light, in dark
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


def css() -> str:
    """Return the custom properties: `light-dark()`, after plain light ones for older browsers."""
    pairs = COLORS.items()
    plain = "".join(f"--{name}: {light};" for name, light in LIGHT.items())
    both = "".join(f"--{name}: light-dark({one}, {other});" for name, (one, other) in pairs)
    return (
        f":root {{color-scheme: light;{plain}}}\n"
        f"@supports (color: light-dark(#000, #fff)) {{:root {{color-scheme: light dark;{both}}}}}\n"
    )
