"""A run goes on with the data it was begun with, or says what differs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets.image_folder import ImageFolder
from mochi_mm.engine.data_facts import data_changes, describe_data
from mochi_mm.engine.hooks.checkpoint_hook import STARTS
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.registry import DATASETS
from mochi_mm.runs import start_facts
from tests.toy_runner import NoiseImages, runner_config, train


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two classes of eight images."""
    for name in ('cat', 'dog'):
        (tmp_path / 'data' / name).mkdir(parents=True)
        for number in range(8):
            write(tmp_path / 'data' / name / f'{number}.png', number)
    return tmp_path / 'data'


def write(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def config_of(folder: Path, root: Path, epochs: int, **changes: Any) -> Any:
    config = runner_config(folder, max_epochs=epochs)
    pipeline = config.train_dataloader.dataset.get('pipeline')
    config.train_dataloader.dataset = dict(type='ImageFolder', data_root=str(root))
    config.train_dataloader.dataset.pipeline = pipeline or NoiseImages().pipeline.transforms
    config.resume = True
    config.merge_from_dict(changes)
    return config


def renamed(root: Path) -> None:
    (root / 'cat').rename(root / 'ape')


def order_changed(root: Path) -> None:
    """As many classes and images, and every label means another class."""
    (root / 'cat').rename(root / 'zebra')


def replaced(root: Path) -> None:
    write(root / 'dog/3.png', 99)
    os.utime(root / 'dog/3.png', ns=(1, 10**18))


def added_and_removed(root: Path) -> None:
    (root / 'dog/3.png').rename(root / 'dog/9.png')


def moved_to_the_other(root: Path) -> None:
    (root / 'dog/3.png').rename(root / 'cat/9.png')


CHANGES: dict[str, tuple[Callable[[Path], None], str, bool]] = {
    'a class renamed': (renamed, r"only the saved data set has 'cat'", False),
    'the order of the labels': (order_changed, r"only the present data set has 'zebra'", False),
    'a file replaced': (replaced, r'\[dataset\] other files of dog', True),
    'one added, one removed': (added_and_removed, r'\[dataset\] other files of dog', True),
    'one in another class': (moved_to_the_other, r'images of cat: 8 -> 9, dog: 8 -> 7', True),
}


@pytest.mark.parametrize('name', CHANGES)
def test_other_data_of_the_same_size(tmp_path: Path, root: Path, name: str) -> None:
    change, message, allowed = CHANGES[name]
    train(config_of(tmp_path / 'run', root, 1))
    change(root)
    with pytest.raises(ValueError, match=message) as error:
        train(config_of(tmp_path / 'run', root, 2))
    assert ('--allow-changed dataset' in str(error.value)) == allowed
    config = config_of(tmp_path / 'run', root, 2, resume_allow=['dataset'])
    if allowed:
        assert train(config).epoch == 2
        logs = ''.join(path.read_text() for path in tmp_path.glob('run/*/*.log'))
        assert 'resume_allow dataset: the samples may differ' in logs
    else:
        with pytest.raises(ValueError, match='cannot be continued on this data'):
            train(config)


def test_the_same_data_elsewhere_is_the_same(tmp_path: Path, root: Path) -> None:
    train(config_of(tmp_path / 'run', root, 1))
    shutil.copytree(root, tmp_path / 'moved')  # with the times of its files
    shutil.rmtree(root)
    assert train(config_of(tmp_path / 'run', tmp_path / 'moved', 2)).epoch == 2


def test_a_checkpoint_of_an_earlier_version_does_not_know(tmp_path: Path, root: Path) -> None:
    import torch

    train(config_of(tmp_path / 'run', root, 1))
    path = tmp_path / 'run/epoch_1.pth'
    content = read_checkpoint(path)
    del content['meta']['run']['data']
    torch.save(content, path)
    Path(f'{path}.json').unlink()
    replaced(root)
    assert train(config_of(tmp_path / 'run', root, 2)).epoch == 2


def test_the_facts(root: Path) -> None:
    dataset = ImageFolder(str(root))
    found = describe_data(dataset)
    assert found['classes'] == ['cat', 'dog'] and found['images'] == dict(cat=8, dog=8)
    assert set(found['files']) == {'cat', 'dog'} and len(set(found['files'].values())) == 2
    both = describe_data(type('Both', (), dict(datasets=[dataset, dataset], metainfo={}))())
    assert set(both['files']) == {'0/cat', '0/dog', '1/cat', '1/dog'}
    about = describe_data(NoiseImages(7))
    assert len(about.pop('labels')) == 16
    assert about == dict(classes=['a', 'b', 'c'], images=dict(a=3, b=2, c=2), files={})
    assert data_changes(found, found) == []
    many = dict(images={f'n{i}': 1 for i in range(9)}, files={})
    (sentence,) = data_changes(many, dict(images={}, files={}))
    assert sentence.endswith('n4: 1 -> 0 and 4 more')


@DATASETS.register_module(force=True)
class Relabeled(NoiseImages):
    """The same images; some have changed places among the classes, which are as large as before."""

    moved = False

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        if self.moved:
            self.labels = self.labels.copy()
            self.labels[[0, 1]] = self.labels[[1, 0]]


def test_other_labels_in_classes_of_the_same_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def config(epochs: int, **changes: Any) -> Any:
        found = runner_config(tmp_path, max_epochs=epochs, resume=True, **changes)
        found.train_dataloader.dataset.type = 'Relabeled'
        return found

    train(config(1))
    monkeypatch.setattr(Relabeled, 'moved', True)
    with pytest.raises(ValueError, match=r'\[dataset\] other labels of the same number'):
        train(config(2))
    assert train(config(2, resume_allow=['dataset'])).epoch == 2


class Annotated:
    """What one of mmdet's data sets offers."""

    metainfo = dict(classes=('cell',))

    def __init__(self, root: Path) -> None:
        self.root, self.ann_file = root, str(root / 'train.txt')

    def __len__(self) -> int:
        return 3

    def get_data_info(self, index: int) -> dict[str, Any]:
        return dict(
            img_path=f'{self.root}/images/{index}.png', xml_path=f'{self.root}/xml/{index}.xml'
        )


@pytest.mark.parametrize('changed', ['images/1.png', 'xml/2.xml', 'train.txt'])
def test_annotated_images(tmp_path: Path, changed: str) -> None:
    for name in ('images/0.png', 'images/1.png', 'images/2.png', 'xml/0.xml', 'xml/1.xml'):
        (tmp_path / 'data' / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / 'data' / name).write_text(name)
    for name in ('xml/2.xml', 'train.txt'):
        (tmp_path / 'data' / name).write_text(name)
    before = describe_data(Annotated(tmp_path / 'data'))
    assert before['classes'] == ['cell'] and before['files'][''] and before['images'] == {}
    shutil.copytree(tmp_path / 'data', tmp_path / 'copy')
    assert describe_data(Annotated(tmp_path / 'copy')) == before
    (tmp_path / 'copy' / changed).write_text('other')
    (sentence,) = data_changes(before, describe_data(Annotated(tmp_path / 'copy')))
    assert sentence.startswith('other files (names')


def test_what_each_start_was_made_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = runner_config(tmp_path, max_epochs=1)
    train(config)
    logs = lambda: ''.join(p.read_text() for p in sorted(tmp_path.glob('*/*.log')))  # noqa: E731
    again = runner_config(tmp_path, max_epochs=2, resume=True)
    train(again)
    assert 'goes on with other code' not in logs()
    monkeypatch.setattr(start_facts, 'commit', lambda: 'c' * 12)
    monkeypatch.setattr(start_facts, 'installed_version', lambda *names: '9.9')
    last = runner_config(tmp_path, max_epochs=3, resume=True)
    last.log_level = 'WARNING'
    train(last)
    assert 'goes on with other code than it was saved with: commit: ' in logs()
    assert f'-> {"c" * 12}; torch: ' in logs() and '-> 9.9' in logs()
    starts = read_checkpoint(tmp_path / 'epoch_3.pth')['message_hub']['runtime_info'][STARTS]
    assert [start['iter'] for start in starts] == [0, 4, 8]
    assert starts[2]['torch'] == '9.9' and starts[0]['version'] == start_facts.__version__
    files = sorted(tmp_path.glob(f'*/{start_facts.FILE}'))
    assert len(files) == 3 and all(start_facts.is_finished(file.parent) for file in files)
