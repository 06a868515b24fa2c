"""mmcv's compiled operators that a detector needs, from torchvision."""
