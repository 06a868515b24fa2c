"""Reading, checking and starting a config."""
