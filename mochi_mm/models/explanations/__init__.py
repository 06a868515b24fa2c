"""What of an image a classifier goes by."""

from mochi_mm.models.explanations.check_layer import check_layer
from mochi_mm.models.explanations.class_activation import class_activation
from mochi_mm.models.explanations.find_layer import find_layer

__all__ = ['check_layer', 'class_activation', 'find_layer']
