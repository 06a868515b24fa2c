"""The content of the module that stands in for mmcv's compiled extension."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from types import ModuleType
from typing import Any, NoReturn

import torchvision

from mochi_mm.transfer.ops.nms import nms
from mochi_mm.transfer.ops.roi_align import roi_align_backward, roi_align_forward

EXTENSION = 'mmcv._ext'


def compile_command() -> str:
    """Return the command that installs the present version of mmcv with compiled operators."""
    for name in ('onedl-mmcv', 'mmcv'):
        try:
            pin = f'{name}=={metadata.version(name)}'
        except metadata.PackageNotFoundError:
            continue
        return (
            f'pip install --force-reinstall --no-deps --no-build-isolation --no-binary {name} {pin}'
        )
    raise ImportError("no distribution of mmcv is installed: pip install 'mochi_mm[det]'")


def missing_op(name: str) -> Callable[..., NoReturn]:
    """Return a function that raises ``RuntimeError`` in the place of operator ``name``."""

    def raise_missing(*args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            f'mmcv was installed without its compiled operators, and {name!r} is not among those '
            'that torchvision can stand in for (nms, roi_align). To compile it (needs a C++ '
            f'compiler, about ten minutes): {compile_command()}'
        )

    return raise_missing


def fill(module: ModuleType) -> None:
    """Define mmcv's operators in ``module``: two from torchvision, the others as errors.

    Args:
        module: An empty module named ``mmcv._ext``.
    """

    def lookup(name: str) -> Callable[..., NoReturn]:
        if name.startswith('__'):  # how the import system asks what a module is
            raise AttributeError(f'module {EXTENSION!r} has no attribute {name!r}')
        return missing_op(name)

    vars(module).update(
        nms=nms,
        roi_align_forward=roi_align_forward,
        roi_align_backward=roi_align_backward,
        get_compiler_version=lambda: f'none (operators of torchvision {torchvision.__version__})',
        get_compiling_cuda_version=lambda: 'none',
        __getattr__=lookup,
        __doc__='Stands in for the compiled operators of mmcv; see mochi_mm.transfer.ops.',
    )
