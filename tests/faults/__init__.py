"""Faults on purpose: programs that make them, and what is typed by nobody who means well.

`make test` runs everything here in a short form, `make soak` in the long one.
"""

import os

SOAK = bool(os.environ.get("SOAK"))
