"""The desk's pages about calls."""
