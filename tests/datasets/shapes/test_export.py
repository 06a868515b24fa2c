"""Scenes as files: read back by those who will read them."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets import ImageFolder, ShapeScenes
from mochi_mm.datasets.shapes.export import export_coco, export_folder, export_voc, mask_to_rle
from tests.forked import Done, run_tool


def test_folder_layout_is_an_image_folder(tmp_path: Path) -> None:
    scenes = ShapeScenes(20)
    export_folder(scenes, tmp_path)
    folder = ImageFolder(tmp_path, split='train')
    assert folder.classes == tuple(sorted(scenes.classes)) and len(folder) == 20
    saved = np.asarray(Image.open(tmp_path / 'train/disc/000010.jpg')).astype(int)
    assert np.abs(saved - np.asarray(scenes.image(10)).astype(int)).mean() < 8


def test_folder_layout_needs_labels(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='mixed kinds have no label'):
        export_folder(ShapeScenes(2, mixed=True), tmp_path)


def test_voc_boxes_count_from_one_and_include_the_last_pixel(tmp_path: Path) -> None:
    scenes = ShapeScenes(3, 'val', mixed=True)
    export_voc(scenes, tmp_path)
    names = (tmp_path / 'ImageSets/Main/val.txt').read_text().split()
    assert names == ['val_000000', 'val_000001', 'val_000002']
    for index, name in enumerate(names):
        assert (tmp_path / f'JPEGImages/{name}.jpg').is_file()
        nodes = ElementTree.parse(tmp_path / f'Annotations/{name}.xml').findall('object')
        for node, item in zip(nodes, scenes.annotations(index), strict=True):
            assert node.findtext('name') == scenes.classes[item.kind]
            corners = [int(node.findtext(f'bndbox/{t}')) for t in ('xmin', 'ymin', 'xmax', 'ymax')]
            x0, y0, x1, y1 = corners
            seen = item.mask[y0 - 1 : y1, x0 - 1 : x1]
            assert seen.sum() == item.mask.sum()
            edges = (seen[0], seen[-1], seen[:, 0], seen[:, -1])
            assert all(edge.any() for edge in edges)


@pytest.mark.parametrize('rows', ['0000', '1111', '0110', '1001', '0001', '1000'])
def test_run_lengths_alternate_from_zero(rows: str) -> None:
    mask = np.array([[c == '1' for c in rows], [c == '0' for c in rows]])
    counts = mask_to_rle(mask)['counts']
    values = [bool(i % 2) for i, count in enumerate(counts) for _ in range(count)]
    assert values == mask.ravel(order='F').tolist()
    assert all(count > 0 for count in counts[1:])


def test_coco_masks_are_what_pycocotools_decodes(tmp_path: Path) -> None:
    coco_module = pytest.importorskip('pycocotools.coco', reason='pycocotools is not installed')
    scenes = ShapeScenes(4, mixed=True)
    export_coco(scenes, tmp_path)
    coco = coco_module.COCO(str(tmp_path / 'annotations/instances_train.json'))
    assert [c['name'] for c in coco.loadCats(coco.getCatIds())] == list(scenes.classes)
    for index in range(4):
        found = coco.loadAnns(coco.getAnnIds(imgIds=[index + 1]))
        for record, item in zip(found, scenes.annotations(index), strict=True):
            assert (coco.annToMask(record).astype(bool) == item.mask).all()
            assert record['category_id'] == item.kind + 1 and record['area'] == item.mask.sum()
            x0, y0, x1, y1 = item.bbox
            assert record['bbox'] == [x0, y0, x1 - x0, y1 - y0]


def export(*arguments: str) -> Done:
    return run_tool('dataset/export_shapes.py', *arguments)


def test_the_tool_writes_whole_folders_and_never_over_others(tmp_path: Path) -> None:
    out = tmp_path / 'voc'
    options = ['--layout', 'voc', '--train', '3', '--val', '2', '--mixed', '--size', '48']
    done = export(str(out), *options)
    assert done.returncode == 0 and '5 scenes written' in done.stdout, done.stderr
    assert len((out / 'ImageSets/Main/trainval.txt').read_text().split()) == 5
    refused = export(str(out), *options)
    assert refused.returncode != 0 and 'is not empty; expected a new folder' in refused.stderr
    failed = export(str(tmp_path / 'bad'), '--layout', 'folder', '--train', '2', '--mixed')
    assert failed.returncode != 0 and 'have no label' in failed.stderr
    assert [path.name for path in tmp_path.iterdir()] == ['voc']
