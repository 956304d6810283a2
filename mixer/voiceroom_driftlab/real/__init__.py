"""The same faults for real: done to a mixer process that knows nothing of it, and scored."""
