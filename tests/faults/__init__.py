"""Faults on purpose: programs that make them, and what is typed by nobody who means well.

`make test` runs some of them in a short form, `make test-all` all of them, `make soak` the long
one.
"""
