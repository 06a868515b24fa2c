"""Models of timm, transformers of a size of their own among them, in every format that takes them.

Each file is read by the library that it is for; the features are those of our backbone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

pytest.importorskip('timm', reason='timm is not installed')
import timm

from mochi_mm.export import export_backbone, huggingface_timm
from mochi_mm.files.load_weights import load_backbone
from mochi_mm.models.backbones import TimmBackbone
from mochi_mm.registry import MODELS
from tests.export.toy import MEAN, STD, features

SMALL = dict(embed_dim=16, depth=2, num_heads=2, img_size=32, patch_size=4)
VIT = dict(type='TimmBackbone', model_name='vit_tiny_patch16_224', model_kwargs=SMALL)
BACKBONES: dict[str, dict[str, Any]] = {
    'as in MoCo-v3': dict(
        VIT,
        model_kwargs=dict(SMALL, weight_init='moco'),
        frozen=('patch_embed',),
        positions='sincos',
        xavier_patches=True,
    ),
    'average of the patches': dict(VIT, model_kwargs=dict(SMALL, global_pool='avg')),
    'not square': dict(VIT, model_kwargs=dict(SMALL, img_size=(24, 40))),
    'any size': dict(VIT, model_kwargs=dict(SMALL, dynamic_img_size=True)),
    'convolutions': dict(type='TimmBackbone', model_name='resnet10t'),
}


@pytest.fixture(params=BACKBONES)
def trained(request: Any, tmp_path: Path) -> tuple[Path, Any, Tensor]:
    """A checkpoint, its backbone with weights that no initialization draws, and images."""
    settings = BACKBONES[request.param]
    torch.manual_seed(0)
    backbone = MODELS.build(dict(settings)).eval()
    for value in backbone.parameters():
        value.data.add_(0.05 * torch.randn_like(value))
    record = dict(mean=MEAN, std=STD, channel_order='rgb', backbone=settings, algorithm='MoCo')
    state = {f'backbone.{name}': tensor for name, tensor in backbone.state_dict().items()}
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict=state, meta=dict(mochi_mm=record)), path)
    images = torch.randn(3, 3, *(backbone.image_size or (40, 56)))
    return path, backbone, images


def same(theirs: Tensor, backbone: Any, images: Tensor) -> None:
    ours = features(backbone, images)
    torch.testing.assert_close(theirs, ours, rtol=1e-4, atol=1e-4 * float(ours.abs().max()))


@torch.no_grad()
def test_timm(trained: Any) -> None:
    path, backbone, images = trained
    out, about = export_backbone(path, 'timm')
    assert about['usage'].startswith('timm.create_model(') and out.name in about['usage']
    model = eval(about['usage'].replace(out.name, str(out)), dict(timm=timm))
    assert model.num_features == backbone.out_channels
    same(model.eval()(images), backbone, images)


@torch.no_grad()
def test_huggingface(trained: Any) -> None:
    """In transformers by its own name and by AutoModel, with the preprocessor, and in timm."""
    transformers = pytest.importorskip('transformers')
    path, backbone, images = trained
    out, about = export_backbone(path, 'huggingface')
    assert 'transformers' in about['equality']['checked_in']
    for kind in (transformers.TimmWrapperModel, transformers.AutoModel):
        model = kind.from_pretrained(str(out), local_files_only=True).eval()
        same(model(pixel_values=images).pooler_output, backbone, images)
    model = timm.create_model(f'local-dir:{out}', pretrained=True)
    same(model.eval()(images), backbone, images)
    data = timm.data.resolve_data_config(model=model)
    processor = transformers.AutoImageProcessor.from_pretrained(str(out), local_files_only=True)
    for found in (data, processor.data_config):
        assert found['mean'] == pytest.approx([value / 255 for value in MEAN])
        assert found['std'] == pytest.approx([value / 255 for value in STD])
        assert tuple(found['input_size']) == (3, *(backbone.image_size or (224, 224)))
    assert sorted(about['sha256']) == ['README.md', 'config.json', 'model.safetensors']


def test_huggingface_without_transformers_is_read_by_timm(
    trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_timm, 'installed', lambda *names: False)
    _, about = export_backbone(trained[0], 'huggingface')
    assert about['equality']['checked_in'].startswith('timm ')


def test_images_that_were_not_normalized(trained: Any) -> None:
    """timm would take the statistics of ImageNet where a folder names none."""
    path = trained[0]
    content = torch.load(path)
    content['meta']['mochi_mm'].update(mean=None, std=None)
    torch.save(content, path)
    out, _ = export_backbone(path, 'huggingface')
    config = json.loads((out / 'config.json').read_text())
    settings = config['pretrained_cfg']
    assert 'weight_init' not in config['model_args']
    assert (settings['mean'], settings['std']) == ([0, 0, 0], [1, 1, 1])


def test_onnx(trained: Any) -> None:
    runtime = pytest.importorskip('onnxruntime')
    path, backbone, images = trained
    out, about = export_backbone(path, 'onnx')
    session = runtime.InferenceSession(str(out), providers=['CPUExecutionProvider'])
    found = session.run(['features'], dict(images=images.numpy()))[0]
    same(torch.from_numpy(found), backbone, images)
    shape = session.get_inputs()[0].shape
    size = backbone.image_size
    assert shape == ['batch', 3, *(size or ('height', 'width'))]
    assert (f'images of {size[0]} x {size[1]} pixels' in about['usage']) if size else True


def test_backbone(trained: Any, tmp_path: Path) -> None:
    path, backbone, images = trained
    out, _ = export_backbone(path, 'backbone')
    torch.manual_seed(1)
    settings = content_of(path)['backbone']
    other: Any = TimmBackbone(settings['model_name'], settings.get('model_kwargs')).eval()
    load_backbone(other, out)
    assert torch.equal(features(other, images), features(backbone, images))
    again, _ = export_backbone(out, 'timm', tmp_path / 'again.safetensors')
    assert again.is_file()


def content_of(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = torch.load(path)['meta']['mochi_mm']
    return record


def test_a_network_that_onnx_has_not(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **further: Any) -> None:
        raise torch.onnx.errors.UnsupportedOperatorError('aten::odd', 17, None)

    pytest.importorskip('onnx')
    monkeypatch.setattr(torch.onnx, 'export', refuse)
    with pytest.raises(ValueError, match=r'ONNX has no network like this.*aten::odd.*backbone'):
        export_backbone(trained[0], 'onnx')
    assert [path.name for path in trained[0].parent.iterdir()] == ['epoch_1.pth']
