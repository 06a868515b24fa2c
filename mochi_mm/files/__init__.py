"""Files: what may be read from them, and how."""
