"""What is impure and knows nothing of rooms: the clock, the log."""
