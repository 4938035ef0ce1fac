"""Drive the application of a test, in this process."""
