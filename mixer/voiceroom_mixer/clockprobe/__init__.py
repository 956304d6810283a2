"""The clock probe: a process of its own that tells how late timers are, CPU by CPU."""
