"""Which starts are available, and why one is not."""
