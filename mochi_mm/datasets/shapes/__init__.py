"""Drawing generated scenes and writing them to files."""
