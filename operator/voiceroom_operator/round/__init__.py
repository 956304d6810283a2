"""One reconcile of a namespace: what is seen, what is done about it, what is said."""
