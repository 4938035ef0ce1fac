"""Ways to send an email."""
