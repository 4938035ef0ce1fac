"""Leads: one per email address, with everything that happened."""
