"""Tests of the transfer to mmdet; importing them supplies mmcv's operators."""

from importlib.util import find_spec

if find_spec('mmdet') is not None:
    import mochi_mm.transfer  # noqa: F401
