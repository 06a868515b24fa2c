"""Files of a run and of its weights: one way to write each, one way to read it."""
