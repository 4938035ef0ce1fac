"""The desk: the sales team's pages."""
