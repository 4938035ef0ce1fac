"""The desk's page about the funnel."""
