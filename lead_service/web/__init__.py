"""What every request shares: security, limits, pages, static files, errors."""
