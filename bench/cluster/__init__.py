"""The operator on a real cluster: 1,000 rooms on 20 mixer pods."""
