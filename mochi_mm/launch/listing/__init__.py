"""What the project holds, read from its files: methods, configs, components, data sets, tools."""
