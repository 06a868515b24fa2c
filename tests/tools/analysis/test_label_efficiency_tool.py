"""tools/analysis/label_efficiency.py on a folder of three colors."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.evaluation.embeddings.toy import recorded_weights
from tests.toy_runner import REPOSITORY

TOOL = REPOSITORY / 'tools/analysis/label_efficiency.py'
PER_CLASS = 12


@pytest.fixture(scope='module')
def tool() -> Any:
    return runpy.run_path(str(TOOL))['main']


def colors(root: Path, seed: int, names: str = 'abc', count: int = PER_CLASS) -> Path:
    rng = np.random.default_rng(seed)
    for channel, name in enumerate(names):
        (root / name).mkdir(parents=True)
        for i in range(count):
            pixels = rng.integers(0, 256, (8, 8, 3))
            pixels[..., channel] += 60
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / name / f'{i}.png')
    return root


@pytest.fixture(scope='module')
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('labels')
    colors(folder / 'images', 0)
    colors(folder / 'test', 1, count=4)
    own = recorded_weights(folder / 'own.pth', seed=7)
    recorded_weights(folder / 'wide.pth', width=0.25)
    torch.save(torch.load(own, weights_only=True)['state_dict'], folder / 'public.pth')
    return folder


def words(place: Path, *more: object, labels: str = '2 6 all') -> list[str]:
    fixed = [
        '--own',
        place / 'own.pth',
        '--size',
        8,
        '--l2',
        0.1,
        '--workers',
        0,
        '--device',
        'cpu',
    ]
    listed = [place / 'images', '--labels', *labels.split(), '--subsets', 3, *fixed, *more]
    return [str(word) for word in listed]


def test_picture_table_and_record(place: Path, tmp_path: Path, tool: Any, capsys: Any) -> None:
    """The public file holds the same weights, so nothing shows between the two."""
    out = tmp_path / 'deep/out'
    found = tool(words(place, '--out', out, '--public', place / 'public.pth'))
    assert list(found) == ['random', 'public', 'own']
    assert found['public'] == found['own'] != found['random']
    assert [len(values) for values in found['own'].values()] == [3, 3, 1]
    table = (out / 'label_efficiency.md').read_text()
    assert table in capsys.readouterr().out
    assert '| own pre-training less public weights, 95 % interval | +0.0 to +0.0' in table
    assert 'with 2 labels a class nothing shows (+0.0 points' in table
    assert '30 training images of 3 classes, 6 test images' in table
    record = json.loads((out / 'label_efficiency.json').read_text())
    assert record['draws'] == found and record['sentence'] in table
    assert record['metrics']['own/top1_all'] == pytest.approx(found['own']['all'][0], abs=1e-4)
    assert record['about']['weights']['random']['file'] is None
    with Image.open(out / 'label_efficiency.png') as picture:
        assert min(picture.size) > 300
    assert len(list(out.iterdir())) == 3


def test_test_images_of_their_own(place: Path, tmp_path: Path, tool: Any) -> None:
    found = tool(words(place, '--out', tmp_path, '--test', place / 'test', labels='all'))
    record = json.loads((tmp_path / 'label_efficiency.json').read_text())
    assert (record['about']['images'], record['about']['test_images']) == (36, 12)
    assert list(found['own']) == ['all'] and 'decides nothing' in record['sentence']


def test_what_cannot_be_measured_leaves_nothing(place: Path, tmp_path: Path, tool: Any) -> None:
    out = tmp_path / 'out'
    with pytest.raises(ValueError, match='11 images of each class are wanted'):
        tool(words(place, '--out', out, labels='11'))
    with pytest.raises(ValueError, match=r'does not cover the backbone.*width 0\.25'):
        tool(words(place, '--out', out, '--public', place / 'wide.pth'))
    bare = words(place, '--out', out)
    with pytest.raises(ValueError, match='has 0 classes; expected a folder for each'):
        tool([str(place / 'images/a'), *bare[1:]])
    colors(tmp_path / 'other', 0, names='abd', count=2)
    with pytest.raises(ValueError, match="'d'"):
        tool(words(place, '--out', out, '--test', tmp_path / 'other'))
    with pytest.raises(ValueError, match='--cfg-options belongs to --config'):
        tool(words(place, '--out', out, '--cfg-options', 'a=1'))
    with pytest.raises(ValueError, match=r'--test .*/images holds the training images of'):
        tool(words(place, '--out', out, '--test', place / 'images'))
    assert not out.exists()


@pytest.mark.parametrize(
    ('more', 'said'),
    [
        (['--labels', '0'], "'0' is no number of labels of each class"),
        (['--subsets', '1'], 'one has no spread'),
        (['--test-share', '1.5'], 'inside (0, 1)'),
        (['--test', 'x', '--test-share', '0.5'], 'exclude each other'),
        (['--batch-size', '0'], '--batch-size is 0; expected 1 or more'),
        (['--workers', '-1'], '--workers is -1; expected 0 or more'),
        (['--out', str(TOOL / 'x')], 'is a file; expected a folder'),
    ],
)
def test_words_that_do_not_go_together(
    place: Path, tmp_path: Path, tool: Any, more: list[str], said: str, capsys: Any
) -> None:
    with pytest.raises(SystemExit):
        tool(words(place, '--out', tmp_path, *more))
    assert said in capsys.readouterr().err
    (tmp_path / 'label_efficiency.md').touch()
    with pytest.raises(SystemExit):
        tool(words(place, '--out', tmp_path))
    assert 'exists; expected a new folder' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        tool([str(place), '--out', str(tmp_path)])
    assert 'nothing says which network' in capsys.readouterr().err
