"""What the mixer is measured beside, started as a user would have it."""
