"""The laboratory of the detectors: faults injected on purpose, and the score of what was named."""
