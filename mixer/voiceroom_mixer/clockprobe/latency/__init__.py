"""How long the media processes of a node's mixer pods stand in run queues."""
