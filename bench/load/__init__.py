"""Load that shares no code with the mixer: small C programs, and clients for LiveKit in Go."""
