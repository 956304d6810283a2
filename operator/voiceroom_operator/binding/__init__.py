"""Which room is run by which pod: decisions only, and the documents that tell the pods."""
