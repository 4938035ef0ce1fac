"""The desk's pages about hosts."""
