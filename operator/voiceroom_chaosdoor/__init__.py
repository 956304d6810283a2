"""The door on a node for faults that a mixer cannot put upon itself (docs/chaos.md): less CPU time
than it was promised, and a network that delays and loses. It alone has the rights for them."""
