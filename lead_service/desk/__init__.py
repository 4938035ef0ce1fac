"""The desk: what the sales team sees."""
