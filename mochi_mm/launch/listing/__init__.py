"""Lists of methods, configs, components, data sets and tools, read from their files."""
