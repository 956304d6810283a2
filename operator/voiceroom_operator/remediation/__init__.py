"""A bad timer moves the room: from what pods say of their ticks to who leaves whom. Pure."""
