"""How generated scenes are drawn and written to files."""
