"""A run on a pack, with two samples a decoding, goes on inside an epoch to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.files.checkpoint import read_checkpoint
from tests.datasets.packs.toy import packed, picture_folder
from tests.toy_runner import TWO_VIEWS, runner_config, train

VIEWS = [dict(TWO_VIEWS[0], type='FastMultiView'), TWO_VIEWS[1]]


@pytest.fixture(scope='module')
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('packed')
    folder = picture_folder(root / 'pictures', 11)
    (folder / 'b/torn.jpg').unlink()
    return packed(folder, root / 'pack')


def config_of(folder: Path, pack: Path, batch_size: int = 4, **changes: Any) -> Any:
    """Three steps an epoch: 6 images, twice each."""
    config = runner_config(folder, **changes)
    config.train_dataloader.update(batch_size=batch_size, num_workers=0)
    config.train_dataloader.sampler.update(repeats=2)
    config.train_dataloader.dataset = dict(type='PackedImages', data_root=str(pack), pipeline=VIEWS)
    return config


def test_an_epoch_is_taken_up_where_it_stopped(pack: Path, tmp_path: Path) -> None:
    straight = config_of(tmp_path / 'straight', pack)
    straight.default_hooks.checkpoint.update(by_epoch=False, interval=1)
    train(straight)
    saved = sorted(path.name for path in (tmp_path / 'straight').glob('iter_*.pth'))
    assert saved == [f'iter_{n}.pth' for n in range(1, 7)]
    again = config_of(tmp_path / 'again', pack)
    again.update(load_from=str(tmp_path / 'straight/iter_2.pth'), resume=True)
    again.default_hooks.checkpoint.update(by_epoch=False, interval=1)
    train(again)
    assert not (tmp_path / 'again/iter_1.pth').exists()
    first, second = (
        read_checkpoint(tmp_path / name / 'iter_6.pth')['state_dict']
        for name in ('straight', 'again')
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_batch_that_parts_the_samples_of_an_image(pack: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'batch_size=3 and sampler\.repeats=2: expected a batch'):
        train(config_of(tmp_path, pack, batch_size=3))
