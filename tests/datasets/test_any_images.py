"""A folder or a pack of it: the same images by number and by path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mochi_mm.datasets.any_images import any_images, image_lines, image_reader
from mochi_mm.datasets.packs.pack_options import PackOptions
from mochi_mm.datasets.packs.pack_writer import PackWriter
from tests.evaluation.embeddings.toy import NAMES, picture_folder


def test_a_pack_stands_for_its_folder(tmp_path: Path) -> None:
    folder, pack = picture_folder(tmp_path / 'images'), tmp_path / 'pack'
    source = any_images(folder)
    options = PackOptions.of('as they are', None, None, None)
    PackWriter(source, pack, options, tell=lambda line: None).write()  # type: ignore[arg-type]
    packed = any_images(pack)
    assert [packed.name(i) for i in range(len(packed))] == [
        source.name(i) for i in range(len(NAMES))
    ]
    first, second = image_reader(folder), image_reader(pack)
    for name in NAMES:
        np.testing.assert_array_equal(np.array(first(name)), np.array(second(name)))
    with pytest.raises(FileNotFoundError, match=r"no image 'a/9\.jpg' in"):
        first('a/9.jpg')
    with pytest.raises(FileNotFoundError, match=r'Nearest: a/'):
        second('a/9.jpg')
    with pytest.raises(FileNotFoundError, match='no folder'):
        image_reader(tmp_path / 'none')
    before = list(image_lines(packed))
    assert all(line.split(' ', 1)[1] in NAMES for line in before)
    assert len({line.split(' ')[0] for line in before}) == len(NAMES)
