"""The Kubernetes API: what is read, watched, written, and who may write."""
