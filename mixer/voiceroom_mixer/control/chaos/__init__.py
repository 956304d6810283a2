"""Faults on order, where the run was started with ``--chaos`` (docs/chaos.md)."""
