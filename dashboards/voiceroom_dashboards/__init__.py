"""What is made for Prometheus and its like from the metrics that voiceroom exposes."""
