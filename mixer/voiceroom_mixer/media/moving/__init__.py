"""Rooms that change pods: what this media process says to others of its pool, and hears."""
