"""mochi_mm: contrastive pre-training with hard negatives mixed in feature space.

Importing the package registers its scope: registries are declared here and fill themselves
from :mod:`mochi_mm.registry` locations when a component is first looked up.
"""

from mochi_mm import registry
from mochi_mm.utils.versions import warn_if_untested
from mochi_mm.version import __version__

warn_if_untested()

__all__ = ['__version__', 'registry']
