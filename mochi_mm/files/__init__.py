"""Files: reading them as data, writing them whole, checkpoints and weights among them."""
