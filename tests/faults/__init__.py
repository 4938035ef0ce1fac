"""Programs that cause faults, and hostile input.

`make test` runs some of them in a short form, `make test-all` all of them, `make soak` the long
one.
"""
