"""The timing torture suite: a tone through a real mixer while its time goes bad."""
