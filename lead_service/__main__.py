"""`python -m lead_service` is `lead-service`."""

from .ops.cli import main

main()
