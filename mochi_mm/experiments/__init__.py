"""Several runs at one budget, their records, and timing."""
