"""Starting a detector from pre-trained weights, whoever wrote the file."""
