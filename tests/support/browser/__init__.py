"""Drive the running product with a browser."""
