"""Objects of the cluster and reports of pods, read into the planners' values.

What cannot be read counts as absent: a label that a person spoilt stops no plan.
"""
