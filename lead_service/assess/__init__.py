"""Assess: where an organization stands in the six steps, and what would have to be true."""
