"""Find leads, calls and emails from every page of the desk, and the keys to work with."""
