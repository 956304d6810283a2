"""The commands. Everything heavy is imported where it is used: ``run`` must start at once."""
