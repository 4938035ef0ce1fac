"""The members of the desk, their sessions and the audit log."""
