"""What authors and editors can get wrong, found before it is published."""
