"""What a visitor asks for and sees before they book: zone, clock, times, known details."""
