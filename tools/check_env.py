"""Print what mochi_mm finds in this environment, what is missing, and the command that adds it.

    python tools/check_env.py

Exits with status 1 when something that pre-training needs is missing.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import runpy
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Part:
    """A dependency: how it is imported, how it may be called when installed, what needs it."""

    module: str
    distributions: tuple[str, ...]
    extra: str = ''


PARTS = (
    Part('mochi_mm', ('mochi_mm',)),
    Part('torch', ('torch',)),
    Part('torchvision', ('torchvision',)),
    Part('mmengine', ('onedl-mmengine', 'mmengine')),
    Part('numpy', ('numpy',)),
    Part('PIL', ('pillow', 'Pillow-SIMD')),
    Part('cv2', ('opencv-python-headless', 'opencv-python')),
    Part('sklearn', ('scikit-learn',)),
    Part('matplotlib', ('matplotlib',)),
    Part('mmcv', ('onedl-mmcv', 'mmcv', 'mmcv-lite'), 'det'),
    Part('mmdet', ('onedl-mmdetection', 'mmdet'), 'det'),
    Part('pycocotools', ('pycocotools',), 'det'),
    Part('timm', ('timm',), 'timm'),
    Part('tifffile', ('tifffile',), 'tiff'),
    Part('faiss', ('faiss-cpu', 'faiss-gpu'), 'faiss'),
    Part('pyarrow', ('pyarrow',), 'parquet'),
    Part('pytest', ('pytest',), 'tests'),
    Part('ruff', ('ruff',), 'lint'),
    Part('mypy', ('mypy',), 'lint'),
)


def read_versions() -> dict[str, Any]:
    """Run ``mochi_mm/utils/versions.py`` by itself and return its names.

    Importing it the usual way would import mmengine first, which may be what is missing.
    """
    spec = importlib.util.find_spec('mochi_mm')
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
    else:  # not installed: this file is being run in the source tree
        package = Path(__file__).resolve().parents[1] / 'mochi_mm'
    return runpy.run_path(str(package / 'utils' / 'versions.py'))


VERSIONS = read_versions()


def present(module: str) -> bool:
    """Return whether ``module`` can be found, without importing it."""
    return importlib.util.find_spec(module) is not None


def describe(part: Part) -> str:
    """Return one line on ``part``."""
    version = VERSIONS['installed_version'](*part.distributions)
    if version is None and not present(part.module):
        return f'  {part.module:<12} missing'
    remark = ''
    tested = VERSIONS['TESTED'].get(part.module)
    if version and tested and not VERSIONS['is_tested'](version, tested):
        remark = f'  (tested: {tested.lowest} to {tested.highest})'
    return f'  {part.module:<12} {version or "found, version unknown"}{remark}'


def describe_cuda() -> str:
    """Return one line on the accelerators that torch sees."""
    if not present('torch'):
        return 'CUDA: unknown, torch is missing'
    import torch

    built = torch.version.cuda
    if not torch.cuda.is_available():
        reason = f'torch is built for CUDA {built}' if built else 'torch is a CPU build'
        return f'CUDA: no device ({reason}); everything runs on the CPU'
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return f'CUDA: {built}, {len(names)} device(s): {", ".join(names)}'


def describe_ops() -> str:
    """Return one line on mmcv's compiled operators."""
    spec = importlib.util.find_spec('mmcv')
    if spec is None:
        return "mmcv's compiled ops: mmcv is missing (only detection needs it)"
    if any(any(Path(folder).glob('_ext.*')) for folder in spec.submodule_search_locations or ()):
        return "mmcv's compiled ops: there"
    return (
        "mmcv's compiled ops: not compiled; nms and roi_align come from torchvision, which is all "
        'that the detection configs here use'
    )


def missing_by_extra() -> dict[str, list[str]]:
    """Return {extra: modules that it would bring and that are missing}; '' is pre-training."""
    missing: dict[str, list[str]] = {}
    for part in PARTS:
        if not present(part.module):
            missing.setdefault(part.extra, []).append(part.module)
    return missing


def main() -> int:
    """Print the report; return the exit status."""
    formatter = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=formatter).parse_args()
    print(f'Python {platform.python_version()}, {platform.platform()}')
    print(f'  {sys.executable}')
    print('\n'.join(describe(part) for part in PARTS))
    print(describe_cuda())
    print(describe_ops())
    missing = missing_by_extra()
    for extra, modules in missing.items():
        target = f'.[{extra}]' if extra else '.'
        needed_by = f'only for extra {extra}' if extra else 'needed for pre-training'
        print(f'Missing {", ".join(modules)} ({needed_by}). To add: ', end='')
        print(f"pip install -e '{target}' -c requirements/constraints.txt")
    if not missing:
        print('Nothing is missing.')
    return 1 if '' in missing else 0


if __name__ == '__main__':
    sys.exit(main())
