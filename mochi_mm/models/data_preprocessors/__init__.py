"""Data preprocessors: from collated uint8 views to normalized float views on the device."""

from mochi_mm.models.data_preprocessors.color_space_data_preprocessor import (
    ColorSpaceDataPreprocessor,
)
from mochi_mm.models.data_preprocessors.view_data_preprocessor import ViewDataPreprocessor

__all__ = ['ColorSpaceDataPreprocessor', 'ViewDataPreprocessor']
