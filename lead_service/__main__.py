"""`python -m lead_service` is `lead-service`."""

from .cli import main

main()
