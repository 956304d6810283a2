"""A mixer in a pod: what the operator tells it, what it tells the operator, and its fellows."""
