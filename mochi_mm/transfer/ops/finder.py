"""Import of ``mmcv._ext`` where mmcv was installed without its compiled operators."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from mochi_mm.transfer.ops.extension import EXTENSION, fill


class _ExtensionLoader(Loader):
    """Fill the module and say so, once per process."""

    def create_module(self, spec: ModuleSpec) -> None:
        """Return None, so that an ordinary module is made."""

    def exec_module(self, module: ModuleType) -> None:
        """Define the operators in ``module``."""
        from mmengine.logging import print_log

        fill(module)
        print_log(
            'mmcv has no compiled operators here: nms and roi_align come from torchvision; any '
            'other operator of mmcv raises an error that names the command to compile it.',
            logger='current',
        )


class MissingOpsFinder(MetaPathFinder):
    """Find ``mmcv._ext`` and nothing else.

    It stands at the end of ``sys.meta_path``, so a compiled extension is found before it.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for ``mmcv._ext``, None for every other name."""
        if fullname != EXTENSION:
            return None
        return ModuleSpec(fullname, _ExtensionLoader(), origin='torchvision')


def supply_missing_ops() -> None:
    """Make ``import mmcv._ext`` succeed; calling it again changes nothing."""
    if not any(isinstance(finder, MissingOpsFinder) for finder in sys.meta_path):
        sys.meta_path.append(MissingOpsFinder())
