"""Every format computes our features in its own library, is read back, and fails cleanly."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from mochi_mm.export import TARGETS, export_backbone, mmdet_format, onnx_format, timm_format
from mochi_mm.export import detectron2_format as d2
from mochi_mm.export import huggingface_format as hf
from mochi_mm.export.target import Target
from mochi_mm.files.atomic_file import sha256_of
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.load_weights import load_backbone
from mochi_mm.files.safetensors_file import read_safetensors
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.models.necks import DenseCLNeck
from tests.export.toy import MEAN, STD, checkpoint, features, images, trained


@pytest.fixture(scope='module')
def r18(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any]:
    path = tmp_path_factory.mktemp('r18') / 'epoch_3.pth'
    return path, *checkpoint(path, depth=18)


@pytest.fixture(scope='module')
def r50(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any]:
    path = tmp_path_factory.mktemp('r50') / 'epoch_3.pth'
    return path, *checkpoint(path, depth=50)


def same(theirs: torch.Tensor, backbone: Any, pictures: torch.Tensor) -> None:
    ours = features(backbone, pictures)
    torch.testing.assert_close(theirs, ours, rtol=1e-4, atol=1e-4 * float(ours.abs().max()))


@pytest.mark.parametrize('depth', [18, 50])
def test_torchvision(depth: int, request: Any, tmp_path: Path) -> None:
    path, query, _ = request.getfixturevalue(f'r{depth}')
    out, about = export_backbone(path, 'torchvision', tmp_path / 'a.safetensors', licence='MIT')
    model = torchvision.models.get_model(f'resnet{depth}', weights=None)
    tensors, metadata = read_safetensors(out)
    missing = model.load_state_dict(tensors, strict=False)
    assert missing.missing_keys == ['fc.weight', 'fc.bias'] and not missing.unexpected_keys
    model.fc = nn.Identity()
    with torch.no_grad():
        same(model.eval()(images()), query, images())
    assert json.loads(metadata['mean']) == MEAN and json.loads(metadata['std']) == STD
    assert (metadata['channel_order'], metadata['licence']) == ('rgb', 'MIT')
    assert metadata['source_sha256'] == sha256_of(path) and metadata['source'] == 'epoch_3.pth'
    written = json.loads((tmp_path / 'a.safetensors.json').read_text())
    assert written == about and written['sha256'] == {'a.safetensors': sha256_of(out)}
    assert written['equality']['max_difference'] <= 1e-5 * written['equality']['scale']
    assert written['mean_1'] == [value / 255 for value in MEAN]


def test_timm(r18: Any, tmp_path: Path) -> None:
    timm = pytest.importorskip('timm')
    path, query, _ = r18
    out, _ = export_backbone(path, 'timm', tmp_path / 'a.safetensors')
    model = timm.create_model('resnet18', num_classes=0, checkpoint_path=str(out))
    fresh = timm.create_model('resnet18', num_classes=0)
    assert not torch.equal(model.conv1.weight, fresh.conv1.weight)
    assert model.state_dict().keys() == fresh.state_dict().keys()
    with torch.no_grad():
        same(model.eval()(images()), query, images())


def test_a_timm_backbone_goes_back_to_timm(tmp_path: Path) -> None:
    timm = pytest.importorskip('timm')
    first = tmp_path / 'gone_by_then.pth'
    torch.save(timm.create_model('resnet10t', num_classes=0).state_dict(), first)
    kwargs = dict(drop_rate=0.1, checkpoint_path=str(first))
    settings = dict(type='TimmBackbone', model_name='resnet10t', model_kwargs=kwargs)
    query, _ = checkpoint(tmp_path / 'epoch_1.pth', **settings)
    first.unlink()
    out, about = export_backbone(tmp_path / 'epoch_1.pth', 'timm')
    model = timm.create_model('resnet10t', num_classes=0, drop_rate=0.1, checkpoint_path=str(out))
    with torch.no_grad():
        same(model.eval()(images()), query, images())
    assert 'resnet10t' in about['usage']
    with pytest.raises(ValueError, match='torchvision has no network like this.*TimmBackbone'):
        export_backbone(tmp_path / 'epoch_1.pth', 'torchvision')


@pytest.mark.parametrize('settings', [dict(depth=50, width=0.25), dict(depth=18)])
def test_mmdet(settings: Any, tmp_path: Path) -> None:
    pytest.importorskip('mmdet')
    import mochi_mm.transfer  # noqa: F401

    from mmdet.models.backbones import ResNet  # isort: skip

    query, _ = checkpoint(tmp_path / 'epoch_1.pth', **settings)
    out, about = export_backbone(tmp_path / 'epoch_1.pth', 'mmdet')
    channels = round(64 * settings.get('width', 1))
    model = ResNet(
        settings['depth'],
        base_channels=channels,
        stem_channels=channels,
        init_cfg=dict(type='Pretrained', checkpoint=str(out)),
    )
    model.init_weights()
    model.eval()
    with torch.no_grad():
        same(model(images())[-1].mean((2, 3)), query, images())
    assert read_checkpoint(out)['meta']['mochi_mm']['mean'] == MEAN
    assert ('base_channels=16' in about['usage']) == ('width' in settings)


@pytest.mark.parametrize('settings', [dict(depth=50, width=0.25), dict(depth=10)])
def test_huggingface(settings: Any, tmp_path: Path) -> None:
    transformers = pytest.importorskip('transformers')
    query, _ = checkpoint(tmp_path / 'epoch_1.pth', **settings)
    out, about = export_backbone(tmp_path / 'epoch_1.pth', 'huggingface', tmp_path / 'hub')
    model = transformers.ResNetModel.from_pretrained(str(out), local_files_only=True).eval()
    with torch.no_grad():
        same(model(images()).pooler_output.flatten(1), query, images())
    processor = transformers.AutoImageProcessor.from_pretrained(str(out), local_files_only=True)
    assert processor.image_mean == pytest.approx([value / 255 for value in MEAN])
    assert set(about['sha256']) == {p.name for p in out.iterdir()}
    assert '| licence | unspecified |' in (out / 'README.md').read_text()
    assert 'license' not in (out / 'README.md').read_text()
    for licence, line in (('CC-BY-4.0', 'license: cc-by-4.0'), ('Ours', 'license_name: "Ours"')):
        export_backbone(
            tmp_path / 'epoch_1.pth', 'huggingface', out, licence=licence, overwrite=True
        )
        assert line in (out / 'README.md').read_text().splitlines()


@pytest.mark.parametrize(
    'settings', [dict(depth=50, width=0.25), dict(depth=10, width=0.25, stem='small')]
)
def test_onnx_runs_at_any_size(settings: Any, tmp_path: Path) -> None:
    runtime = pytest.importorskip('onnxruntime')
    query, _ = checkpoint(tmp_path / 'epoch_1.pth', **settings)
    out, _ = export_backbone(tmp_path / 'epoch_1.pth', 'onnx')
    session = runtime.InferenceSession(str(out), providers=['CPUExecutionProvider'])
    for pictures in (images(), images(1, 40, 33)):
        found = session.run(['features'], dict(images=pictures.numpy()))[0]
        same(torch.from_numpy(found), query, pictures)
    props = session.get_modelmeta().custom_metadata_map
    assert json.loads(props['mean']) == MEAN and props['channel_order'] == 'rgb'


def test_detectron2_names(r50: Any, tmp_path: Path) -> None:
    """Against names written down from detectron2's ResNet, and there and back for all."""
    known = {
        'conv1.weight': 'stem.conv1.weight',
        'bn1.running_var': 'stem.conv1.norm.running_var',
        'layer1.0.conv1.weight': 'res2.0.conv1.weight',
        'layer1.0.bn3.bias': 'res2.0.conv3.norm.bias',
        'layer2.0.downsample.0.weight': 'res3.0.shortcut.weight',
        'layer4.0.downsample.1.running_mean': 'res5.0.shortcut.norm.running_mean',
        'layer3.5.bn2.weight': 'res4.5.conv2.norm.weight',
    }
    path, query, _ = r50
    out, about = export_backbone(path, 'detectron2', tmp_path / 'd2.pth')
    content = read_checkpoint(out)
    assert content['matching_heuristics'] is True and content['__author__'] == 'mochi_mm'
    for ours, theirs in known.items():
        assert d2.to_detectron2(ours) == theirs
        assert torch.equal(content['model'][theirs], query.state_dict()[ours])
    names = [name for name in query.state_dict() if not name.endswith('num_batches_tracked')]
    assert [d2.from_detectron2(d2.to_detectron2(name)) for name in names] == names
    assert len(content['model']) == len(names) == 5 * 53
    assert 'NOT in detectron2' in about['equality']['checked_in']
    assert about['equality']['max_difference'] == 0
    assert 'PIXEL_MEAN: [125.5, 122.5, 113.5]' in about['usage'] and 'FORMAT: RGB' in about['usage']


@pytest.mark.parametrize('first', ['backbone', 'mmdet'])
def test_licence_and_encoder_stay_with_the_weights(first: str, r18: Any, tmp_path: Path) -> None:
    once = tmp_path / f'once{TARGETS[first].suffix}'
    export_backbone(r18[0], first, once, encoder='key', licence='CC-BY-4.0')
    out, about = export_backbone(once, 'backbone', tmp_path / 'twice.safetensors')
    assert (about['licence'], about['encoder']) == ('CC-BY-4.0', 'key')
    metadata = read_safetensors(out)[1]
    assert (metadata['licence'], metadata['encoder']) == ('CC-BY-4.0', 'key')
    _, other = export_backbone(once, 'backbone', tmp_path / 'c.safetensors', 'key', 'CC0-1.0')
    assert other['licence'] == 'CC0-1.0'
    with pytest.raises(ValueError, match='has no query encoder'):
        export_backbone(once, 'backbone', tmp_path / 'd.safetensors', encoder='query')


def test_the_averaged_encoder(r18: Any, tmp_path: Path) -> None:
    path, query, key = r18
    out, _ = export_backbone(path, 'backbone', tmp_path / 'key.safetensors', encoder='key')
    model = trained(7, depth=18)
    load_backbone(model, out)
    for name, value in model.state_dict().items():
        assert torch.equal(value, key.state_dict()[name]), name
    assert not torch.equal(model.conv1.weight, query.conv1.weight)
    plain, _ = export_backbone(path, 'backbone', tmp_path / 'query.safetensors')
    with pytest.raises(ValueError, match='no key encoder.*only in the full checkpoint'):
        export_backbone(plain, 'torchvision', tmp_path / 'x.safetensors', encoder='key')
    export_backbone(out, 'torchvision', tmp_path / 'from_backbone.safetensors')


@pytest.mark.parametrize('to', ['torchvision', 'timm', 'mmdet', 'backbone'])
def test_the_transfer_loader_reads_what_was_exported(to: str, r18: Any, tmp_path: Path) -> None:
    pytest.importorskip('mmdet')
    from mochi_mm.files.weights_source import read_source

    path, query, _ = r18
    out, _ = export_backbone(path, to, tmp_path / f'a{TARGETS[to].suffix}')
    source = read_source(out, query.state_dict())
    assert source.origin.name == 'mochi_mm, MoCo' and not source.others
    assert list(source.input.mean or ()) == MEAN and list(source.input.std or ()) == STD
    assert source.input.channel_order == 'rgb'
    assert set(source.tensors) == set(query.state_dict())
    assert all(torch.equal(t, query.state_dict()[n]) for n, t in source.tensors.items())


@pytest.mark.parametrize(
    ('module', 'to'), [(timm_format, 'timm'), (mmdet_format, 'mmdet'), (hf, 'huggingface')]
)
def test_without_the_library_names_are_mapped_back(
    module: Any, to: str, r18: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, 'installed', lambda *names: False)
    _, about = export_backbone(r18[0], to, tmp_path / f'a{TARGETS[to].suffix}')
    assert about['equality']['checked_in'].startswith('NOT in ')
    assert about['equality']['max_difference'] == 0


def test_onnx_absent_says_what_to_install(
    r18: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_format, 'installed', lambda *names: False)
    with pytest.raises(ImportError, match='pip install onnx'):
        export_backbone(r18[0], 'onnx', tmp_path / 'a.onnx')
    assert list(tmp_path.iterdir()) == []


def test_names_of_transformers_there_and_back(r50: Any) -> None:
    names = list(r50[1].state_dict())
    assert [hf.from_transformers(hf.to_transformers(name)) for name in names] == names
    assert hf.from_transformers('pooler.weight') == 'pooler.weight'


def swapped(target: Target, write: Any = None) -> Target:
    """The format, but two weights of equal shape change places: a mistake in a name map."""

    def exchange(source: Any, path: Path, metadata: Any) -> None:
        first, second = 'layer1.0.conv1.weight', 'layer1.0.conv2.weight'
        tensors = dict(source.tensors)
        tensors[first], tensors[second] = tensors[second], tensors[first]
        object.__setattr__(source, 'tensors', tensors)
        target.write(source, path, metadata)
        tensors[first], tensors[second] = tensors[second], tensors[first]

    return replace(target, write=write or exchange)


@pytest.mark.parametrize('to', ['torchvision', 'huggingface'])
def test_another_function_is_an_error_and_leaves_nothing(
    to: str, r18: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / f'a{TARGETS[to].suffix}'
    export_backbone(r18[0], to, out)
    before = {p: sha256_of(p) for p in tmp_path.rglob('*') if p.is_file()}
    monkeypatch.setitem(TARGETS, to, swapped(TARGETS[to]))
    with pytest.raises(ValueError, match='another function than ours: the features differ'):
        export_backbone(r18[0], to, out, overwrite=True)
    assert {p: sha256_of(p) for p in tmp_path.rglob('*') if p.is_file()} == before
    with pytest.raises(ValueError, match='was not written'):
        export_backbone(r18[0], to, tmp_path / f'new{TARGETS[to].suffix}')
    assert not list(tmp_path.glob('*new*')) and not list(tmp_path.glob('.*'))


@pytest.mark.parametrize(
    ('settings', 'to', 'problem'),
    [
        (dict(depth=10), 'torchvision', 'depth is 10, expected one of 18'),
        (dict(depth=18, width=0.25), 'timm', 'width is 0.25, expected 1'),
        (dict(depth=18, width=0.25, stem='small'), 'mmdet', "stem is 'small'"),
        (dict(depth=10, width=0.25, stem='small'), 'huggingface', "stem is 'small'"),
        (dict(depth=18, width=0.25, out_indices=(1, 2)), 'mmdet', 'ends with stage 2'),
    ],
)
def test_networks_that_a_library_has_not(
    settings: Any, to: str, problem: str, tmp_path: Path
) -> None:
    checkpoint(tmp_path / 'a.pth', **settings)
    with pytest.raises(ValueError, match=rf'has no network like this backbone: .*{problem}'):
        export_backbone(tmp_path / 'a.pth', to)
    assert [path.name for path in tmp_path.iterdir()] == ['a.pth']
    export_backbone(tmp_path / 'a.pth', 'backbone')


@pytest.mark.parametrize(
    ('order', 'refused'),
    [
        ('lab', ('torchvision', 'timm', 'mmdet', 'detectron2', 'huggingface')),
        ('bgr', ('torchvision', 'timm', 'huggingface')),
        (None, ()),
    ],
)
def test_images_that_a_library_does_not_read(
    order: str | None, refused: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its features would be those of other images, without a word."""
    path = tmp_path / 'a.pth'
    checkpoint(path, depth=18)
    content = read_checkpoint(path)
    content['meta']['mochi_mm']['channel_order'] = order
    torch.save(content, path)
    for to, target in TARGETS.items():
        written: list[str] = []
        stop = swapped(target, lambda *_, to=to, written=written: written.append(to) or 1 / 0)
        monkeypatch.setitem(TARGETS, to, stop)
        said = f'trained on images in {order}, and {to} reads them in rgb'
        wanted, match = (ValueError, said) if to in refused else (ZeroDivisionError, '')
        with pytest.raises(wanted, match=match):
            export_backbone(path, to)
        assert written == ([] if to in refused else [to])


def test_images_that_were_not_normalized(tmp_path: Path) -> None:
    """Of a detector that takes gray levels as they are; the libraries divide by 255 first."""
    transformers = pytest.importorskip('transformers')
    checkpoint(tmp_path / 'a.pth', depth=10)
    content = read_checkpoint(tmp_path / 'a.pth')
    content['meta']['mochi_mm'].update(mean=None, std=None)
    torch.save(content, tmp_path / 'a.pth')
    out, _ = export_backbone(tmp_path / 'a.pth', 'huggingface', tmp_path / 'hub')
    processor = transformers.AutoImageProcessor.from_pretrained(str(out), local_files_only=True)
    picture = torch.arange(256).repeat(256, 3, 1).permute(1, 0, 2).to(torch.uint8)  # (3, 256, 256)
    taken = processor(picture, return_tensors='pt').pixel_values
    assert taken.min() >= 10 and taken.max() == pytest.approx(239, abs=2)


def test_mistakes(r18: Any, tmp_path: Path) -> None:
    path = r18[0]
    with pytest.raises(ValueError, match='expected one of torchvision, timm'):
        export_backbone(path, 'keras')
    with pytest.raises(ValueError, match='ends with .onnx'):
        export_backbone(path, 'onnx', tmp_path / 'a.pth')
    (tmp_path / 'a.safetensors').write_text('mine')
    with pytest.raises(FileExistsError, match='pass --overwrite'):
        export_backbone(path, 'backbone', tmp_path / 'a.safetensors')
    assert (tmp_path / 'a.safetensors').read_text() == 'mine'
    torch.save(dict(state_dict=read_checkpoint(path)['state_dict']), tmp_path / 'bare.pth')
    with pytest.raises(ValueError, match='does not record what its weights are'):
        export_backbone(tmp_path / 'bare.pth', 'backbone')
    content = read_checkpoint(path)
    content['meta']['mochi_mm']['backbone']['depth'] = 34
    torch.save(content, tmp_path / 'other.pth')
    with pytest.raises(ValueError, match='does not cover the backbone that it records'):
        export_backbone(tmp_path / 'other.pth', 'backbone', tmp_path / 'b.safetensors')
    assert not (tmp_path / 'b.safetensors').exists()


@pytest.mark.parametrize('out', ['.', '..', 'a/..'])
def test_a_folder_without_a_name_is_refused(out: str, r18: Any) -> None:
    with pytest.raises(ValueError, match='expected the name of a new file or folder'):
        export_backbone(r18[0], 'huggingface', out, overwrite=True)


def test_only_an_export_is_replaced(r18: Any, tmp_path: Path) -> None:
    """Not a folder that something else lies in, and not half of one."""
    folder = tmp_path / 'mine'
    (folder / 'sub').mkdir(parents=True)
    (folder / 'sub/paper.tex').write_text('mine')
    with pytest.raises(FileExistsError, match='mine holds sub, which no export writes'):
        export_backbone(r18[0], 'huggingface', folder, overwrite=True)
    with pytest.raises(FileExistsError, match='is a folder, not an export'):
        folder.rename(tmp_path / 'a.safetensors')
        export_backbone(r18[0], 'backbone', tmp_path / 'a.safetensors', overwrite=True)
    assert (tmp_path / 'a.safetensors/sub/paper.tex').read_text() == 'mine'
    for _ in range(2):
        export_backbone(r18[0], 'huggingface', tmp_path / 'h', overwrite=True)
    assert (tmp_path / 'h/config.json').is_file() and not list(tmp_path.glob('.*'))


def test_an_export_without_its_record_is_taken_back(
    r18: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / 'new' / 'a.safetensors'

    def full(path: Path, write: Any) -> None:
        assert out.is_file()
        raise OSError(28, 'No space left on device')

    module = sys.modules['mochi_mm.export.export_backbone']
    monkeypatch.setattr(module, 'write_atomically', full)
    with pytest.raises(OSError, match='No space left'):
        export_backbone(r18[0], 'backbone', out)
    assert not list(tmp_path.rglob('*safetensors*'))
    out.parent.mkdir(exist_ok=True)
    out.write_text('before')
    with pytest.raises(OSError, match='No space left'):
        export_backbone(r18[0], 'backbone', out, overwrite=True)
    assert out.read_text() == 'before'


def test_a_refused_export_makes_no_folder(tmp_path: Path) -> None:
    checkpoint(tmp_path / 'a.pth', depth=10)
    with pytest.raises(ValueError, match='depth is 10'):
        export_backbone(tmp_path / 'a.pth', 'torchvision', tmp_path / 'new' / 'b.safetensors')
    assert [path.name for path in tmp_path.iterdir()] == ['a.pth']


def test_a_living_export_is_not_swept(
    r18: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a run that starts in the same folder; one that was killed is (tests/files)."""
    from mochi_mm.files.atomic_file import sweep

    def look(*arguments: Any) -> None:
        assert list(tmp_path.glob('.*.partial')) and sweep(tmp_path) == []
        raise KeyError('seen')

    module = importlib.import_module('mochi_mm.export.export_backbone')
    monkeypatch.setattr(module, 'compare', look)
    with pytest.raises(KeyError, match='seen'):
        export_backbone(r18[0], 'backbone', tmp_path / 'x.safetensors')
    assert not list(tmp_path.iterdir())


def test_the_backbone_of_densecl_goes_to_mmdet(tmp_path: Path) -> None:
    """Projections and queue of the cells are no part of it."""
    pytest.importorskip('mmdet')
    import mochi_mm.transfer  # noqa: F401

    from mmdet.models.backbones import ResNet  # isort: skip

    query, _ = checkpoint(tmp_path / 'epoch_1.pth', depth=18, width=0.25)
    saved = read_checkpoint(tmp_path / 'epoch_1.pth')
    neck = DenseCLNeck(128, out_channels=8).state_dict()
    saved['state_dict'] |= {
        f'{start}neck.{n}': v for start in ('', 'key_encoder.') for n, v in neck.items()
    }
    queue = FeatureQueue(length=16, dim=8).state_dict()
    saved['state_dict'] |= {f'heads.dense.memory.{n}': v for n, v in queue.items()}
    torch.save(saved, tmp_path / 'dense.pth')
    out, _ = export_backbone(tmp_path / 'dense.pth', 'mmdet')
    init = dict(type='Pretrained', checkpoint=str(out))
    model = ResNet(18, base_channels=16, stem_channels=16, init_cfg=init)
    model.init_weights()
    model.eval()
    with torch.no_grad():
        same(model(images())[-1].mean((2, 3)), query, images())
