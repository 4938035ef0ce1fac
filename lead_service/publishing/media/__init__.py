"""Prepare pictures, portraits, drawings and the typeface."""
