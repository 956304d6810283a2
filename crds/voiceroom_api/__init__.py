"""The vocabulary that mixer, operator and tools share. No I/O; imports nothing of ours."""
