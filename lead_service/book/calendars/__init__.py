"""Read the hosts' own calendars."""
