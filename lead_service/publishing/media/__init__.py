"""Prepare pictures, portraits, cards, icons and the typeface."""
