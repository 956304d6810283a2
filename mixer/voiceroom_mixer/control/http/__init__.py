"""HTTP for people, probes and operators (contract §2 to §4)."""
