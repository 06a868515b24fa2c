"""A checkpoint says what its weights were trained with."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import nn

from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.weights_meta import describe_input, describe_weights
from tests.models.algorithms.toy import build_moco, moco_config
from tests.toy_runner import runner_config, train


def test_a_run_writes_the_record(tmp_path: Path) -> None:
    model = moco_config(
        data_preprocessor=dict(type='ViewDataPreprocessor', mean=(1, 2, 3), std=(4, 5, 6))
    )
    train(runner_config(tmp_path, max_epochs=1, model=model))
    record = read_checkpoint(tmp_path / 'epoch_1.pth')['meta']['mochi_mm']
    assert record == dict(
        mean=[1.0, 2.0, 3.0],
        std=[4.0, 5.0, 6.0],
        channel_order='rgb',
        backbone=dict(
            type='ResNet',
            depth=10,
            width=0.125,
            out_indices=[3],
            frozen_stages=-1,
            norm_eval=False,
            stem='small',
            zero_init_residual=False,
            in_channels=3,
            init_cfg=None,
        ),
        algorithm='MoCo',
        head='HardNegativeMixingHead with PairMixing, QueryMixing',
    )


def test_the_record_is_plain_and_says_what_is_unknown() -> None:
    record = describe_weights(nn.Linear(1, 1), dict(model=dict(backbone=dict(type='NoSuch', a=1))))
    assert json.loads(json.dumps(record)) == record
    assert record == dict(
        mean=None,
        std=None,
        channel_order=None,
        backbone=dict(type='NoSuch', a=1),
        algorithm='Linear',
        head=None,
    )
    mixed = dict(type='HardNegativeMixingHead', mixers=[dict(type='PairMixing', num=8)])
    said = describe_weights(build_moco(), dict(model=dict(head=mixed)))['head']
    assert said == 'HardNegativeMixingHead with PairMixing'
    strange = dict(model=dict(backbone=dict(type='TimmBackbone', model_name='x', fn=torch.relu)))
    assert isinstance(describe_weights(build_moco(), strange)['backbone']['fn'], str)


class Preprocessor(nn.Module):
    """What the mm libraries' preprocessors have."""

    def __init__(self, exchange: bool) -> None:
        super().__init__()
        self._channel_conversion = exchange
        self.mean, self.std = torch.tensor([1.0, 2, 3])[:, None, None], torch.ones(3, 1, 1)


def test_images_of_the_mm_libraries_are_read_as_bgr() -> None:
    assert describe_input(Preprocessor(True))['channel_order'] == 'rgb'
    assert describe_input(Preprocessor(False))['channel_order'] == 'bgr'
    assert describe_input(Preprocessor(True))['mean'] == [1, 2, 3]
