"""Offer open times for calls, and book, move and cancel calls."""
