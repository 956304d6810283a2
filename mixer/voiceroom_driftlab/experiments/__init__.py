"""The article's experiments, each measured on the reader's machine."""
