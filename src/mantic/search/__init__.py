"""What to try, for how long, and what to make of it."""
