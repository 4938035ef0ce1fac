"""The desk's pages about the outbox."""
