"""What kind of fault keeps this process from keeping time: observations in, one verdict out."""
