"""What is said of rooms and pools: conditions, reasons and fields, worked out and not written."""
