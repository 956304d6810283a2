"""`make demo-drift`: a node of a real cluster stalls, and the room moves, told while it happens."""
