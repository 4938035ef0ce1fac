"""Code that all requests share: security, limits, pages, static files, errors."""
