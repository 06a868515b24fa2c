"""What ranks cannot read: named once, counted together, remembered."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from mmengine.logging import MessageHub
from PIL import Image

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.engine.hooks import DataFaultHook
from mochi_mm.randomness import SampleKey
from mochi_mm.registry import DATASETS
from tests.ranks import run_ranks
from tests.toy_runner import TWO_VIEWS, NoiseImages, runner_config, train

BAD = (3, 4, 11)


@DATASETS.register_module(force=True)
class HoledImages(NoiseImages):
    """Noise, of which three images cannot be read."""

    def image(self, index: int) -> Image.Image:
        if index in BAD:
            raise UnreadableImage(f'no {index}.png')
        return super().image(index)


class Heard(logging.Handler):
    """Keeps what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def runner_of(dataset: ImageDataset, name: str) -> Any:
    logger = logging.Logger(name)
    logger.addHandler(heard := Heard())
    hub = MessageHub.get_instance(name)
    loader = SimpleNamespace(dataset=dataset)
    return SimpleNamespace(
        train_dataloader=loader, message_hub=hub, logger=logger, iter=0, heard=heard
    )


def _ranks(rank: int, max_share: float) -> tuple[list[str], list[int], str]:
    """Rank 0 meets samples 3 and 4 in iterations 1 and 2, rank 1 meets 11 in iteration 1."""
    dataset = HoledImages(16, TWO_VIEWS)
    hook = DataFaultHook(max_share=max_share, interval=2)
    runner = runner_of(dataset, f'rank_{rank}')
    hook.before_train(runner)
    ended, counts = '', []
    try:
        for runner.iter in range(4):
            hook.before_train_iter(runner, runner.iter)
            counts.append(len(dataset.faults.told))
            met = {(0, 1): 3, (0, 2): 4, (1, 1): 11}.get((rank, runner.iter), 0)
            dataset[SampleKey(met)]
        hook.after_train_epoch(runner)
    except ValueError as error:
        ended = str(error)
    return runner.heard.said, counts, ended


def test_every_rank_knows_what_all_met_and_counts_it() -> None:
    first, second = run_ranks(_ranks, 2, 1.0)
    assert first == second
    said, counts, ended = first
    assert said == [f'sample {i} is replaced by others: no {i}.png' for i in (3, 11, 4)]
    assert counts == [0, 0, 2, 2] and ended == ''


def test_the_limit_is_on_the_share_of_all_ranks() -> None:
    """Each rank alone met one of 16 images, 6.25 %; together they are above 10 %."""
    for _, counts, ended in run_ranks(_ranks, 2, 0.1):
        assert counts == [0, 0]  # both stop in iteration 2
        assert ended.startswith('12.50% of 16 images cannot be read, more than max_share=10.00%')
        assert 'no 11.png' in ended


def test_a_resumed_run_counts_what_it_knew(tmp_path: Path) -> None:
    def config(epochs: int, **hook: Any) -> Any:
        config = runner_config(tmp_path, max_epochs=epochs)
        config.train_dataloader.dataset.type = 'HoledImages'
        config.default_hooks.data_fault.update(hook)
        config.update(resume=epochs > 1, experiment_name=f'run_{epochs}')
        return config

    known = [dict(size=16, samples=list(BAD))]
    runner = train(config(1, max_share=0.2))
    assert runner.message_hub.get_info('unreadable_samples') == known
    runner = train(config(2, max_share=0.2))
    assert runner.train_dataloader.dataset.faults.told == set(BAD)
    # Not once for each start.
    logs = tmp_path.glob('*/*.log')
    assert sum(log.read_text().count('is replaced by others') for log in logs) == 3


def test_what_was_known_of_another_data_set_is_forgotten() -> None:
    runner = runner_of(HoledImages(16, TWO_VIEWS), 'other')
    runner.message_hub.update_info('unreadable_samples', [dict(size=15, samples=[1, 2])])
    DataFaultHook().before_train(runner)
    assert runner.train_dataloader.dataset.faults.told == set()


def test_settings_out_of_range() -> None:
    for bad in (dict(max_share=1.1), dict(max_share=np.nan), dict(interval=0)):
        with pytest.raises(ValueError, match='expected a share between 0 and 1'):
            DataFaultHook(**bad)
