"""Grey release: a canary pool on a share of another pool's rooms (``docs/canary.md``)."""
