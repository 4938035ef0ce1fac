"""Read a visitor's request for times, and show them in the visitor's zone."""
