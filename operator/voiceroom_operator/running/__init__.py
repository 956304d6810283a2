"""The process: what starts, watches, reconciles, answers and stops."""
