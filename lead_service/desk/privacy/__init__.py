"""The desk's page about personal data."""
