"""Taking a backbone out of a checkpoint, into the files that other libraries read."""

from mochi_mm.export.export_backbone import export_backbone
from mochi_mm.export.targets import TARGETS

__all__ = ['TARGETS', 'export_backbone']
