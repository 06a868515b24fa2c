"""Small detectors train, measure, test again from the checkpoint, and draw."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mmengine.runner import Runner

from mochi_mm.files.checkpoint import load_for_test, read_checkpoint
from tests.transfer.scenes import COCO_CONFIG, VOC_CONFIG, small_config
from tools.analysis import show_detections


@pytest.fixture(scope='module', params=['voc', 'coco'])
def trained(
    request: pytest.FixtureRequest,
    voc_scenes: Path,
    coco_scenes: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Any, Runner, dict[str, float]]:
    """The config, its runner after 4 iterations, and the metrics of the last validation."""
    path = dict(voc=VOC_CONFIG, coco=COCO_CONFIG)[request.param]
    data = dict(voc=voc_scenes, coco=coco_scenes)[request.param]
    config = small_config(path, data, tmp_path_factory.mktemp(request.param))
    config.model.test_cfg.rcnn.score_thr = 0.0
    runner = Runner.from_cfg(copy.deepcopy(config))
    runner.train()
    hub = runner.message_hub.log_scalars
    metrics = {n[4:]: b.current() for n, b in hub.items() if n.startswith('val/') and 'AP' in n}
    return config, runner, metrics


def test_every_part_is_trained_by_finite_losses(trained: Any) -> None:
    config, runner, metrics = trained
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert len(losses) == 4 and all(0 < loss < 100 for loss in losses)
    names = {n for n in runner.message_hub.log_scalars if n.startswith('train/loss_')}
    wanted = {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox'}
    wanted |= {'loss_mask'} if config.model.type == 'MaskRCNN' else set()
    assert {n.removeprefix('train/') for n in names} == wanted
    frozen = [n for n, p in runner.model.named_parameters() if not p.requires_grad]
    assert frozen == []
    kinds = ['bbox', 'segm'] if config.model.type == 'MaskRCNN' else []
    expected = {f'coco/{k}_{a}' for k in kinds for a in ('AP', 'AP50', 'AP75')}
    assert set(metrics) == (expected or {'voc/AP', 'voc/AP50', 'voc/AP75'})


def test_norms_are_not_decayed(trained: Any) -> None:
    _, runner, _ = trained
    decays: dict[int, float] = {
        id(p): group['weight_decay']
        for group in runner.optim_wrapper.param_groups
        for p in group['params']
    }
    for name, module in runner.model.named_modules():
        norm = isinstance(module, torch.nn.modules.batchnorm._BatchNorm)
        for parameter in module.parameters(recurse=False):
            assert decays[id(parameter)] == (0 if norm else 1e-4), name


def test_testing_the_checkpoint_gives_the_last_validation(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the code of tools/test.py: same AP, to the last bit, precise statistics included."""
    config, runner, metrics = trained
    again = copy.deepcopy(config)
    again.experiment_name += '_test'
    again.work_dir = str(tmp_path)
    checkpoint = Path(config.work_dir) / 'iter_4.pth'
    tester = Runner.from_cfg(again)
    saved = read_checkpoint(checkpoint)['state_dict']
    assert all(torch.equal(v, saved[n]) for n, v in runner.model.state_dict().items())
    assert 'weights loaded from' in load_for_test(tester.model, checkpoint)
    assert tester.test() == metrics


def test_a_detector_is_never_tested_with_its_backbone_alone(trained: Any, tmp_path: Path) -> None:
    _, runner, _ = trained
    weights = {n: v for n, v in runner.model.state_dict().items() if n.startswith('backbone.')}
    torch.save(dict(state_dict=weights), tmp_path / 'backbone.pth')
    with pytest.raises(ValueError, match=r'lacks \d+ weights of the model: (neck|rpn_head)'):
        load_for_test(runner.model, tmp_path / 'backbone.pth')


def test_detections_are_drawn(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    config, _, _ = trained
    config.dump(tmp_path / 'config.py')
    checkpoint, out = Path(config.work_dir) / 'iter_4.pth', tmp_path / 'drawn/two.png'
    arguments = ['x', str(tmp_path / 'config.py'), str(checkpoint), '--out', str(out)]
    monkeypatch.setattr(sys, 'argv', [*arguments, '--num', '2', '--min-score', '0'])
    show_detections.main()
    with Image.open(out) as picture:
        assert picture.size == (800, 720)
        assert len(picture.convert('RGB').getcolors(1 << 20)) > 100
    monkeypatch.setattr(sys, 'argv', [*arguments, '--num', '0'])
    with pytest.raises(ValueError, match='--num 0'):
        show_detections.main()


def test_the_log_says_what_was_done(trained: Any) -> None:
    config, runner, _ = trained
    (log,) = Path(config.work_dir).glob(f'{runner.timestamp}/*.log')
    text = log.read_text()
    assert 'there is no process group, so SyncBN is reverted' in text
    assert 'pretrained=none: the detector starts from random weights' in text
    assert text.count('precise batch norm: statistics of') == 2
    lines = (log.parent / 'vis_data/scalars.json').read_text().splitlines()
    assert [json.loads(line)['step'] for line in lines if 'AP' in line] == [2, 4]
