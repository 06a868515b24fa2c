"""A detection run starts from the file it is given, or does not start."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.config import Config

pytest.importorskip('mmdet', reason='mmdet is not installed')
from mochi_mm.transfer.detector_pretrained_hook import DetectorPretrainedHook
from tests.transfer.weights.toy import Detector, network, save


def runner(pretrained: Any, iteration: int = 0, **settings: Any) -> Any:
    return SimpleNamespace(
        cfg=Config(dict(pretrained=pretrained, **settings)),
        iter=iteration,
        logger=logging.getLogger('detector pretrained'),
        model=Detector(),
    )


def test_loads_and_prints_the_page(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    net = network(seed=1)
    path = save(tmp_path, net.state_dict())
    run = runner(str(path))
    with caplog.at_level(logging.INFO):
        DetectorPretrainedHook().before_train(run)
    assert torch.equal(run.model.backbone.conv1.weight, net.conv1.weight)
    assert f'weights from {path}\n' in caplog.text
    assert 'roi_head.shared_head.layer4: 18 of 18 tensors' in caplog.text


@pytest.mark.parametrize('empty', ['', None])
def test_empty_is_an_error(empty: str | None) -> None:
    with pytest.raises(ValueError, match=r'`pretrained` is empty; .*pretrained=none'):
        DetectorPretrainedHook().before_train(runner(empty))


def test_random_weights_only_on_purpose(caplog: pytest.LogCaptureFixture) -> None:
    run = runner('none')
    before = {k: v.clone() for k, v in run.model.state_dict().items()}
    DetectorPretrainedHook().before_train(run)
    assert 'starts from random weights' in caplog.text
    assert all(torch.equal(v, before[k]) for k, v in run.model.state_dict().items())


def test_a_resumed_run_keeps_its_weights() -> None:
    run = runner('/nowhere.pth', iteration=7)
    before = {k: v.clone() for k, v in run.model.state_dict().items()}
    DetectorPretrainedHook().before_train(run)
    assert all(torch.equal(v, before[k]) for k, v in run.model.state_dict().items())


def test_two_sources_of_weights_are_refused() -> None:
    run = runner('a.pth', load_from='b.pth')
    with pytest.raises(ValueError, match=r'load_from is b\.pth and pretrained is a\.pth'):
        DetectorPretrainedHook().before_train(run)


def test_what_the_config_states_reaches_the_loader(tmp_path: Path) -> None:
    run = runner(str(save(tmp_path, network().state_dict())))
    gray = dict(mean=[127.5] * 3, std=[127.5] * 3, channel_order='rgb')
    with pytest.raises(ValueError, match='stated in the config'):
        DetectorPretrainedHook(trained_with=gray).before_train(run)
