"""Rooms that several pods have to do with: feeds of their legs, who stands by, who takes over."""
