"""Find mistakes of authors and editors before publication."""
