"""The desk's search, and its list of keyboard shortcuts."""
