"""The desk's pages about members and the audit log."""
