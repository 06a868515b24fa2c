"""The report says what became of every weight, and nothing is loaded by halves."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip('mmdet', reason='mmdet is not installed')
from mmdet.models.backbones import ResNet as DetResNet

from mochi_mm.files.origin import IMAGENET
from mochi_mm.models.backbones.resnet import ResNet
from mochi_mm.transfer.weights.load_detector import load_detector
from tests.transfer.weights.toy import Detector, network, prefixed, save

RECORD: dict[str, Any] = dict(
    mean=list(IMAGENET.mean or ()),
    std=list(IMAGENET.std or ()),
    channel_order='rgb',
    backbone=dict(type='ResNet', depth=10, width=0.125, stem='imagenet'),
    algorithm='MoCo',
)


def recorded(**changes: Any) -> dict[str, Any]:
    """A checkpoint of ours that says how it was trained."""
    weights = prefixed(network(), 'backbone.', **{'neck.x': torch.zeros(1)})
    return dict(state_dict=weights, meta=dict(mochi_mm={**RECORD, **changes}))


def refused(detector: Detector, path: Path, match: str, **arguments: Any) -> None:
    """Loading raises ``match`` and leaves the detector as it was."""
    before = {k: v.clone() for k, v in detector.state_dict().items()}
    with pytest.raises(ValueError, match=match):
        load_detector(detector, path, **arguments)
    for key, value in detector.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_the_report_accounts_for_every_tensor(tmp_path: Path) -> None:
    detector = Detector()
    path = save(tmp_path, recorded())
    report = load_detector(detector, path)
    assert report.matched == {'backbone': 54, 'roi_head.shared_head.layer4': 18}
    assert report.new == {
        'rpn_head': 2,
        'roi_head.bbox_head': 2,
        'roi_head.shared_head.norm': 5,
    }
    assert report.unused == {'neck': 1}
    total = sum(report.matched.values()) + sum(report.new.values())
    assert total == len(detector.state_dict())
    page = str(report)
    assert str(path) in page
    assert report.origin == 'mochi_mm, MoCo'
    assert 'ResNet-10 (1-1-1-1 basic blocks), width 0.125, stem imagenet' in page
    assert 'rgb in both (recorded in the file)' in page
    assert '123.675 116.28 103.53 in both (recorded in the file)' in page
    assert len(page.splitlines()) < 20


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(depth=18), r'more blocks in layer1.*holds ResNet-18 .*wants ResNet-10 '),
        (dict(width=0.25), r'another shape, first conv1\.weight: \(16, 3, 7, 7\) in the file'),
        (dict(stem='small'), r'holds ResNet-10 .*stem small; the detector wants .*stem imagenet'),
    ],
)
def test_another_network(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = save(tmp_path, network(**settings).state_dict())
    for c4 in (True, False):
        refused(Detector(c4), path, 'does not cover the backbone.*' + message)


def test_a_shallower_network(tmp_path: Path) -> None:
    path = save(tmp_path, network().state_dict())
    deep = Detector(network=dict(depth=18, width=0.125))
    refused(deep, path, r'are missing, first layer1\.1\.conv1.*holds ResNet-10 .*wants ResNet-18')


def test_a_hole(tmp_path: Path) -> None:
    weights = network().state_dict()
    del weights['layer4.0.bn2.running_var']
    path = save(tmp_path, weights)
    message = r'1 of 72 weights are missing, first layer4\.0\.bn2\.running_var'
    refused(Detector(c4=True), path, message)
    refused(Detector(c4=False), path, message)


def test_names_of_nobody(tmp_path: Path) -> None:
    flat = {f'student_{n.replace(".", "_")}': t for n, t in network().state_dict().items()}
    path = save(tmp_path, dict(state_dict=flat))
    refused(Detector(), path, r'was not recognized: state_dict holds 72 .*student_conv1_weight')
    path = save(tmp_path, dict(state_dict={f'backbone.{n}': t for n, t in flat.items()}))
    refused(Detector(), path, r'the backbone: no weight of it fits: it has student_conv1')


@pytest.mark.parametrize('prefix', ['student.net.', 'backbone.body.'])
def test_names_behind_a_prefix_of_nobody(tmp_path: Path, prefix: str) -> None:
    net = network()
    detector = Detector()
    report = load_detector(detector, save(tmp_path, dict(state_dict=prefixed(net, prefix))))
    assert report.origin == f'an unknown program (behind {prefix})'
    assert torch.equal(detector.backbone.conv1.weight, net.conv1.weight)


def test_another_set_of_a_file(tmp_path: Path) -> None:
    net, average = network(1), network(2)
    content = dict(model=prefixed(net, ''), model_ema=prefixed(average, 'module.'))
    path, detector = save(tmp_path, content), Detector()
    page = str(load_detector(detector, path))
    assert 'taken from          model; the file also holds model_ema (72): checkpoint_key' in page
    load_detector(detector, path, checkpoint_key='model_ema')
    assert torch.equal(detector.backbone.conv1.weight, average.conv1.weight)


def test_names_of_a_file_move_no_cursor_and_fill_no_page(tmp_path: Path) -> None:
    others = {f'\x1b[2J{i}': torch.zeros(1) for i in range(50)}
    content = dict(state_dict=prefixed(network(), 'encoder_q.', **others))
    path = save(tmp_path, {**content, 'ema\x07': {'a.weight': torch.zeros(1)}})
    page = str(load_detector(Detector(), path))
    assert page.replace('\n', '').isprintable() and 'and 38 more' in page


def test_no_checkpoint(tmp_path: Path) -> None:
    path = save(tmp_path, dict(note='hello', epoch=3))
    refused(Detector(), path, 'is no checkpoint: it holds note, epoch, and no tensors')
    path = save(tmp_path, [1, 2])
    refused(Detector(), path, 'holds a list; expected a dict of tensors')
    path.write_bytes(pickle.dumps(dict(a=1)))
    refused(Detector(), path, 'weights.pth')
    path = save(tmp_path, dict(state_dict=network().state_dict(), args=Path('x')))
    refused(Detector(), path, 'can run code')
    with pytest.raises(FileNotFoundError, match='no checkpoint at'):
        load_detector(Detector(), tmp_path / 'none.pth')


@pytest.mark.parametrize(
    ('preprocessor', 'message'),
    [
        (dict(bgr_to_rgb=False), r'channel order: trained on rgb, the detector feeds bgr'),
        (dict(mean=[103.53, 116.28, 123.675]), r'mean: trained with 123\.675 116\.28 103\.53'),
        (dict(std=[1.0, 1.0, 1.0]), r'std: trained with .* the detector uses 1 1 1'),
        (dict(mean=None, std=None), r'mean: .* the detector uses none'),
    ],
)
@pytest.mark.parametrize('origin', ['ours', 'MoCo'])
def test_other_images(
    origin: str, preprocessor: dict[str, Any], message: str, tmp_path: Path
) -> None:
    moco = dict(state_dict=prefixed(network(), 'module.encoder_q.'))
    path = save(tmp_path, recorded() if origin == 'ours' else moco)
    refused(Detector(**preprocessor), path, 'the detector contradicts .*' + message)


def test_small_roundings_are_no_contradiction(tmp_path: Path) -> None:
    path = save(tmp_path, recorded(mean=[123.68, 116.28, 103.53]))
    report = str(load_detector(Detector(), path))
    assert '116.28 103.53 in both' in report
    path = save(tmp_path, recorded(mean=[123.78, 116.28, 103.53]))
    refused(Detector(), path, r'mean: trained with 123\.78')


def test_what_a_file_does_not_say_can_be_stated(tmp_path: Path) -> None:
    gray: Any = dict(mean=[127.5] * 3, std=[127.5] * 3)
    path = save(tmp_path, dict(state_dict=prefixed(network(), 'module.encoder_q.')))
    refused(Detector(**gray), path, r'trained_with=dict\(mean')
    report = load_detector(Detector(**gray), path, dict(**gray, channel_order='rgb'))
    assert '127.5 127.5 127.5 in both (stated in the config)' in str(report)
    refused(Detector(), path, r'stated in the config\): mean', trained_with=gray)
    refused(Detector(), path, 'trained_with has means', trained_with=dict(means=1))
    # A record in the file is not to be overruled.
    path = save(tmp_path, recorded())
    refused(Detector(**gray), path, 'leave trained_with out', trained_with=gray)


def test_what_nobody_knows_is_said(tmp_path: Path) -> None:
    path = save(tmp_path, dict(state_dict=prefixed(network(), 'backbone.')))
    page = str(load_detector(Detector(), path))
    assert 'rgb in the detector; of the weights unknown' in page


def test_the_recorded_network_must_be_the_detectors(tmp_path: Path) -> None:
    other = recorded(backbone={**RECORD['backbone'], 'stem': 'small'})
    refused(Detector(), save(tmp_path, other), r"records stem='small'.*has 'imagenet'")


def test_caffe_style(tmp_path: Path) -> None:
    path = save(tmp_path, ResNet(50).state_dict())
    detector = Detector(c4=False)
    detector.backbone = DetResNet(depth=50, style='caffe')
    refused(detector, path, "the detector has style='caffe'")
    detector.backbone = DetResNet(depth=50, style='pytorch')
    assert 'pytorch, in both' in str(load_detector(detector, path))


def test_a_model_without_a_backbone(tmp_path: Path) -> None:
    path = save(tmp_path, network().state_dict())
    with pytest.raises(ValueError, match='Linear has no backbone'):
        load_detector(torch.nn.Linear(1, 1), path)


@pytest.mark.parametrize('extra', ['layer1.0.se.fc1.weight', 'layer1.0.conv1.bias', 'conv1.bias'])
def test_a_network_with_more_in_it_is_refused(tmp_path: Path, extra: str) -> None:
    content = recorded()
    content['state_dict'][f'backbone.{extra}'] = torch.zeros(1)
    refused(Detector(), save(tmp_path, content), rf'1 weights in these parts .* first {extra}')


@pytest.mark.parametrize(
    ('change', 'match'),
    [
        (lambda t: t.fill_(float('nan')), 'conv1.weight holds NaN or infinity'),
        (lambda t: t.to(torch.int8), r'conv1.weight is of torch\.int8; expected floating-point'),
    ],
)
def test_weights_that_no_training_left_are_refused(tmp_path: Path, change: Any, match: str) -> None:
    content = recorded()
    name = 'backbone.layer2.0.conv1.weight'
    content['state_dict'][name] = change(content['state_dict'][name])
    refused(Detector(), save(tmp_path, content), match)


def test_a_statement_against_the_record_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, recorded())
    stated = dict(mean=[127.5] * 3, std=[1] * 3, channel_order='bgr')
    refused(Detector(), path, 'records mean .* leave trained_with out', trained_with=stated)
    load_detector(Detector(), path, trained_with=dict(channel_order='rgb'))


def test_not_normalized_is_known_not_unknown(tmp_path: Path) -> None:
    path = save(tmp_path, recorded(mean=None, std=None))
    refused(Detector(), path, 'mean: trained with 0 0 0, the detector uses')


@pytest.mark.parametrize(
    ('stated', 'match'),
    [
        (dict(mean=5), 'trained_with.mean is 5; expected three gray levels'),
        (dict(mean=[1.0]), r'trained_with.mean is \[1.0\]; expected three gray levels'),
        (dict(channel_order='RGB'), "channel_order is 'RGB'; expected 'rgb' or 'bgr'"),
    ],
)
def test_statements_are_checked(tmp_path: Path, stated: dict[str, Any], match: str) -> None:
    path = save(tmp_path, dict(state_dict=prefixed(network(), 'module.encoder_q.')))
    refused(Detector(), path, match, trained_with=stated)


def test_where_a_file_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', str(tmp_path))
    name = save(tmp_path, recorded()).name
    load_detector(Detector(), f'~/{name}')
    with pytest.raises(FileNotFoundError, match='is a folder; expected one of the checkpoints'):
        load_detector(Detector(), tmp_path)
    with pytest.raises(ValueError, match='is an address'):
        load_detector(Detector(), 'https://example.com/w.pth')
