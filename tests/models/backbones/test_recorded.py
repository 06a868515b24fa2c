"""What a weight file records never chooses what is called, fetched, printed as code or allocated.

python -m pytest tests/models/backbones/test_recorded.py

The payloads are harmless: called, they would make an empty file or take memory, and none does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mochi_mm.export import export_backbone
from mochi_mm.files.safetensors_file import write_safetensors
from mochi_mm.models.backbones import ResNet
from mochi_mm.models.backbones.recorded import build_recorded, checked_backbone
from tests.export.toy import checkpoint

SMALL = dict(type='ResNet', depth=10, width=0.25, in_channels=1)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / 'executed'


def call(marker: Path) -> dict[str, Any]:
    """A config that the registry would call."""
    return dict(type='subprocess.check_call', args=['touch', str(marker)])


def deep(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = [value]
    return value


def circle() -> dict[str, Any]:
    split: dict[str, Any] = dict(type='SplitBackbone', backbones=[])
    split['backbones'] = [split, split]
    return split


ATTACKS: dict[str, Any] = {
    'a callable': call,
    'a callable as a part': lambda m: dict(type='SplitBackbone', backbones=[SMALL, call(m)]),
    'a callable two levels down': lambda m: dict(
        type='SplitBackbone',
        backbones=[SMALL, dict(type='SplitBackbone', backbones=[SMALL, call(m)])],
    ),
    'a classifier around a callable': lambda m: dict(
        type='ImageClassifier', backbone=call(m), head=call(m)
    ),
    'a callable as an argument': lambda m: dict(SMALL, stem=call(m)),
    'an unknown argument': lambda m: dict(SMALL, norm_layer=call(m)),
    'another registry of the scope': lambda m: dict(SMALL, _scope_='os'),
    'a module of ours': lambda m: dict(type='mochi_mm.files.own_folder.remove', path=str(m)),
    'an import by its scope': lambda m: dict(type='antigravity.ResNet'),
    'a type that is no text': lambda m: dict(type=['ResNet']),
    'no type': lambda m: dict(depth=10),
    'a circle': lambda m: circle(),
    'a deep list': lambda m: dict(SMALL, out_indices=deep(3, 200)),
    'a type of 10 MB': lambda m: dict(type='x' * 10**7),
    'a type with a control character': lambda m: dict(type='\x1b[2JResNet\ud800'),
    'a depth that is a list': lambda m: dict(SMALL, depth=[10]),
    'a depth that is True': lambda m: dict(SMALL, depth=True),
    'a width that is NaN': lambda m: dict(SMALL, width=float('nan')),
    'a width of 1e30': lambda m: dict(SMALL, width=1e30),
    'channels of 5,000 digits': lambda m: dict(SMALL, in_channels=10**5000),
    'one part': lambda m: dict(type='SplitBackbone', backbones=[SMALL]),
    'parts that are text': lambda m: dict(type='SplitBackbone', backbones='ab'),
    'a million parts': lambda m: dict(type='SplitBackbone', backbones=[SMALL] * 10**6),
    'parts that have no channels': lambda m: dict(
        type='SplitBackbone', backbones=[dict(type='TimmBackbone', model_name='resnet10t')] * 2
    ),
}


def timm(**kwargs: Any) -> dict[str, Any]:
    return dict(type='TimmBackbone', model_name='resnet10t', model_kwargs=kwargs)


TIMM: dict[str, Any] = {
    'a name that is a folder': dict(type='TimmBackbone', model_name='local-dir:/tmp'),
    'a name of the hub': dict(type='TimmBackbone', model_name='hf-hub:someone/something'),
    'a name with a path behind it': dict(type='TimmBackbone', model_name='resnet10t.../../x'),
    'a name that is a list': dict(type='TimmBackbone', model_name=['resnet10t']),
    'arguments that are text': dict(timm(), model_kwargs='pretrained'),
    'a class of features': timm(features_only=True, feature_cls='fx'),
    'a pruning file': timm(pruned=True),
    'further settings': timm(pretrained_cfg=dict(file='/etc/passwd', custom_load='hf')),
    'settings with weights': timm(pretrained_cfg_overlay=dict(state_dict=dict(a=1))),
    'a layer that is a dict': timm(norm_layer=dict(type='os.system')),
    'a layer that is a path': timm(act_layer='../../x'),
    'a rate that is NaN': timm(drop_rate=float('nan')),
    'a huge number': timm(in_chans=2**40),
    'a million layers': dict(
        type='TimmBackbone', model_name='vit_tiny_patch16_224', model_kwargs=dict(depth=10**6)
    ),
    'a deep list of layers': timm(layers=deep(1, 50)),
    'the number of classes': timm(num_classes=3),
    'an argument of the builder': timm(kwargs_filter=['depth']),
}


def file_of(path: Path, backbone: Any, **record: Any) -> Path:
    state = {f'backbone.{n}': t for n, t in ResNet(10, 0.25).state_dict().items()}
    record = dict(dict(mean=None, std=None, channel_order='rgb', algorithm='MoCo'), **record)
    torch.save(dict(state_dict=state, meta=dict(mochi_mm=dict(record, backbone=backbone))), path)
    return path


@pytest.mark.parametrize('to', ['backbone', 'mmdet'])
@pytest.mark.parametrize('name', ATTACKS)
def test_the_record_is_refused(name: str, to: str, marker: Path, tmp_path: Path) -> None:
    path = file_of(tmp_path / 'evil.pth', ATTACKS[name](marker))
    with pytest.raises(ValueError, match=r'evil\.pth') as refused:
        export_backbone(path, to)
    assert not marker.exists() and [p.name for p in tmp_path.iterdir()] == ['evil.pth']
    assert len(str(refused.value)) < 1000 and str(refused.value).isascii()
    assert '\x1b' not in str(refused.value)


@pytest.mark.parametrize('name', TIMM)
def test_what_timm_is_called_with(name: str, tmp_path: Path) -> None:
    pytest.importorskip('timm')
    path = file_of(tmp_path / 'evil.pth', TIMM[name])
    with pytest.raises(ValueError, match=r'evil\.pth records'):
        export_backbone(path, 'timm')


def test_metadata_of_safetensors_is_no_other_door(marker: Path, tmp_path: Path) -> None:
    record = json.dumps(dict(backbone=dict(type='SplitBackbone', backbones=[call(marker)] * 2)))
    path = tmp_path / 'evil.safetensors'
    write_safetensors(path, ResNet(10, 0.25).state_dict(), dict(mochi_mm=record))
    with pytest.raises(ValueError, match=r'evil\.safetensors records a backbone of the type'):
        export_backbone(path, 'backbone', tmp_path / 'out.safetensors')
    assert not marker.exists()


def test_no_more_memory_than_the_weights_fill(tmp_path: Path) -> None:
    """A ResNet-152 of width 60 would take 800 GB; it is compared with the file before that."""
    path = file_of(tmp_path / 'evil.pth', dict(type='ResNet', depth=152, width=60.0))
    with pytest.raises(ValueError, match=r'evil\.pth records .* numbers and holds 310908'):
        export_backbone(path, 'backbone')
    pytest.importorskip('timm')
    vit = dict(type='TimmBackbone', model_name='vit_tiny_patch16_224')
    path = file_of(tmp_path / 'evil.pth', dict(vit, model_kwargs=dict(embed_dim=60_000)))
    with pytest.raises(ValueError, match=r'evil\.pth'):
        export_backbone(path, 'backbone')


TEXTS: dict[str, dict[str, Any]] = {
    'code instead of a mean': dict(mean="0]); import os; os.system('x')  #", std=[1.0]),
    'a mean of NaN': dict(mean=[float('nan')] * 3),
    'a mean without end': dict(mean=[1.0] * 10**6),
    'a mean of a huge integer': dict(mean=[10**500] * 3),
    'a deviation of zero': dict(std=[1.0, 0.0, 1.0]),
    'flags for a mean': dict(mean=[True, False, True]),
    'an order of two lines': dict(channel_order='rgb}\nWEIGHTS: /etc/passwd'),
    'an order that is a list': dict(channel_order=['rgb']),
    'an algorithm that moves the cursor': dict(algorithm='MoCo\x1b[2J'),
    'an algorithm in half a character': dict(algorithm='MoCo\ud800'),
    'a head that turns the line around': dict(head='\u202eMoCo'),
    'a head without end': dict(head='x' * 10**6),
}


@pytest.mark.parametrize('name', TEXTS)
def test_text_that_would_be_pasted_or_printed(name: str, tmp_path: Path) -> None:
    path = file_of(tmp_path / 'evil.pth', dict(type='ResNet', depth=10, width=0.25), **TEXTS[name])
    with pytest.raises(ValueError, match=r'evil\.pth: meta\.mochi_mm\.\w+ is'):
        export_backbone(path, 'backbone')


@pytest.mark.parametrize(
    'export', [dict(licence='MIT\x1b[2J'), dict(licence=['MIT']), dict(encoder='x')]
)
def test_what_an_export_says_of_itself(export: Any, tmp_path: Path) -> None:
    path = file_of(tmp_path / 'evil.pth', dict(type='ResNet', depth=10, width=0.25))
    content = torch.load(path)
    content['meta']['export'] = export
    torch.save(content, path)
    with pytest.raises(ValueError, match=r'evil\.pth'):
        export_backbone(path, 'backbone')


@pytest.mark.parametrize('meta', [[], 'x', dict(mochi_mm=[]), dict(mochi_mm=dict(backbone=[1]))])
def test_records_of_another_kind(meta: Any, tmp_path: Path) -> None:
    path = tmp_path / 'evil.pth'
    torch.save(dict(state_dict={'backbone.x': torch.ones(1)}, meta=meta), path)
    with pytest.raises(ValueError, match=r'evil\.pth'):
        export_backbone(path, 'backbone')


def test_a_card_holds_text_and_no_markup(tmp_path: Path) -> None:
    checkpoint(tmp_path / 'a.pth', algorithm='<script>x</script> | y', depth=10)
    out, _ = export_backbone(tmp_path / 'a.pth', 'huggingface', tmp_path / 'hub')
    assert (
        '| algorithm | &lt;script&gt;x&lt;/script&gt; &#124; y |' in (out / 'README.md').read_text()
    )


def test_what_this_project_records_is_built() -> None:
    """Under its scope too, and without what says where weights once came from."""
    split = dict(
        type='mochi_mm.SplitBackbone',
        backbones=[dict(SMALL, init_cfg=dict(type='Pretrained', checkpoint='gone')), SMALL],
        init_cfg=None,
    )
    checked = checked_backbone(split, 'file')
    assert checked == dict(type='SplitBackbone', backbones=[SMALL, SMALL])
    assert build_recorded(checked, 'a file').in_channels == [1, 1]
