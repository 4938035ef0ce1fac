"""The desk's pages about leads."""
