"""What a file says of itself."""

from __future__ import annotations

from pathlib import Path

from mochi_mm.launch.listing.header import docstring_of, read_header, summary

CONFIG = '''"""SimCLR, CIFAR-10: a real run
for two CPU cores.

Paper: Chen et al. 2020 (SimCLR); network and budget
    are ours.
Command: python tools/train.py \\\\
    configs/a.py
Measured: kNN 47.7.
"""

raise ValueError('it is read, not run')
'''


def test_a_config_is_read_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / 'a.py'
    path.write_text(CONFIG)
    header = read_header(path)
    assert header.title == 'SimCLR, CIFAR-10: a real run for two CPU cores'
    assert header.fields == dict(
        Paper='Chen et al. 2020 (SimCLR); network and budget are ours.',
        Command='python tools/train.py \\ configs/a.py',
        Measured='kNN 47.7.',
    )


def test_a_script_has_its_first_comment(tmp_path: Path) -> None:
    path = tmp_path / 'a.sh'
    path.write_text('#!/bin/bash\n# Train.\n#   tools/a.sh CONFIG\nset -e\n# later\n')
    assert docstring_of(path) == 'Train.\ntools/a.sh CONFIG'
    (tmp_path / 'b.py').write_text('x = 1\n')
    assert docstring_of(tmp_path / 'b.py') == ''


def test_summaries_are_one_line_without_roles() -> None:
    assert summary('A :func:`~a.b.c`,\nand ``x``.\n\nMore.') == 'A `c`, and ``x``'
    assert summary('') == ''
