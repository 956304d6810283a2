"""The operator's side of a mixer pod's admin listener: what is asked of pods and told to them."""
