"""The full-size detectors: the protocol, the weights they start from, one step, their input."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mmdet.registry import DATASETS, MODELS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from PIL import Image

from mochi_mm.files.weights_meta import describe_weights
from mochi_mm.launch.check_config import check_config
from mochi_mm.launch.config import load_config
from mochi_mm.models.backbones import ResNet
from mochi_mm.registry import MODELS as OURS
from mochi_mm.transfer.weights.load_detector import load_detector
from tools import transfer_demo

ROOT = Path(__file__).resolve().parents[2]
FULL = {
    'voc0712/faster-rcnn_r50-c4_ms-24k_voc0712.py': (24000, [18000, 22000], 100, 480, 20),
    'coco/mask-rcnn_r50-c4_ms-1x_coco.py': (90000, [60000, 80000], 1000, 640, 80),
    'coco/mask-rcnn_r50-c4_ms-2x_coco.py': (180000, [120000, 160000], 1000, 640, 80),
    'coco/mask-rcnn_r50-fpn_ms-1x_coco.py': (90000, [60000, 80000], 1000, 640, 80),
    'coco/mask-rcnn_r50-fpn_ms-2x_coco.py': (180000, [120000, 160000], 1000, 640, 80),
}
SMALL = sorted((ROOT / 'configs/transfer').glob('[!_]*/*r10w025*.py'))
PRETRAINING = 'configs/mochi/mochi-1024-512-256_resnet50_8xb32-cosine-200e_in1k.py'


def read(name: str) -> Config:
    return load_config(ROOT / 'configs/transfer' / name)


def test_the_table_names_every_full_size_config() -> None:
    folder = ROOT / 'configs/transfer'
    found = {p.relative_to(folder).as_posix() for p in folder.glob('*/*r50*.py')}
    assert {name for name in found if not name.startswith('_base_')} == set(FULL)


@pytest.mark.parametrize('name', FULL)
def test_protocol(name: str) -> None:
    """What the MoCo protocol fixes, as its configs and the defaults of detectron2 have it."""
    config, (iters, milestones, warm_up, least, classes) = read(name), FULL[name]
    warm, steps = config.param_scheduler
    assert (warm.type, warm.start_factor, warm.begin, warm.end) == ('LinearLR', 1e-3, 0, warm_up)
    assert (steps.milestones, steps.gamma) == (milestones, 0.1)
    assert not warm.by_epoch and not steps.by_epoch
    assert config.train_cfg.type == 'IterBasedTrainLoop' and config.train_cfg.max_iters == iters
    assert iters % config.train_cfg.val_interval == 0
    assert config.optim_wrapper.optimizer == dict(
        type='SGD', lr=0.02, momentum=0.9, weight_decay=1e-4
    )
    assert config.optim_wrapper.paramwise_cfg == dict(norm_decay_mult=0)
    assert config.auto_scale_lr.base_batch_size == 8 * config.train_dataloader.batch_size == 16
    assert config.sync_bn == 'torch' and config.default_hooks.precise_bn.num_iters == 200
    model = config.model
    assert (model.backbone.get('frozen_stages', -1), model.backbone.get('norm_eval', False)) == (
        -1,
        False,
    )
    assert model.data_preprocessor.bgr_to_rgb and 'data_preprocessor' not in config
    assert model.roi_head.bbox_head.num_classes == classes
    (sizes,) = [s for s in train_pipeline(config) if s['type'] == 'RandomChoiceResize']
    assert sizes['scales'] == [(1333, side) for side in range(least, 801, 32)]
    (size,) = [s for s in config.test_dataloader.dataset.pipeline if s['type'] == 'Resize']
    assert size['scale'] == (1333, 800) and size['keep_ratio'] and sizes['keep_ratio']
    rpn = model.test_cfg.rpn
    assert (rpn.nms_pre, rpn.max_per_img) == ((1000, 1000) if 'fpn' in name else (6000, 1000))
    rpn = model.train_cfg.rpn_proposal
    assert (rpn.nms_pre, rpn.max_per_img) == ((2000, 1000) if 'fpn' in name else (12000, 2000))


def train_pipeline(config: Config) -> list[dict[str, Any]]:
    dataset = config.train_dataloader.dataset
    return dataset.get('pipeline') or dataset.datasets[0].pipeline


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor]]:
    """A full-size MoCHi checkpoint as pre-training writes it, with a short memory."""
    config = load_config(ROOT / PRETRAINING)
    config.model.head.memory.length = 1024
    init_default_scope('mochi_mm')
    torch.manual_seed(0)
    model = OURS.build(config.model)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    for name, value in state.items():
        if name.endswith(('bn1.bias', 'running_mean')):
            value.uniform_(-0.1, 0.1)  # so that a norm left at its start would show
    path = tmp_path_factory.mktemp('full') / 'epoch_200.pth'
    torch.save(dict(state_dict=state, meta={}), path)
    return path, state


def test_the_longer_schedules_train_the_same_detectors() -> None:
    for name in (n for n in FULL if '-2x' in n):
        assert read(name).model == read(name.replace('-2x', '-1x')).model


@pytest.fixture(scope='module', params=[name for name in FULL if '-2x' not in name])
def detector(request: pytest.FixtureRequest) -> tuple[str, nn.Module]:
    config = read(request.param)
    init_default_scope('mmdet')
    torch.manual_seed(1)
    config.model.train_cfg.rcnn.sampler.num = 8  # a step of the full protocol takes a minute
    config.model.train_cfg.rpn_proposal.max_per_img = 50
    return request.param, MODELS.build(config.model)


def test_starts_from_a_full_size_checkpoint(detector: Any, checkpoint: Any) -> None:
    """Every weight of the network is that of the file, layer4 of the C4 head included."""
    name, model = detector
    path, state = checkpoint
    report = load_detector(model, path)
    mine = model.state_dict()
    net = {n.removeprefix('backbone.'): v for n, v in state.items() if n.startswith('backbone.')}
    assert len(net) == 318
    for key, value in net.items():
        in_head = '-c4_' in name and key.startswith('layer4.')
        place = f'roi_head.shared_head.{key}' if in_head else f'backbone.{key}'
        assert torch.equal(mine[place], value), place
    assert sum(report.matched.values()) == 318 and report.counters == 0
    heads = {'rpn_head', 'roi_head.bbox_head'} | (
        {'roi_head.mask_head'} if 'mask' in name else set()
    )
    assert set(report.new) == heads | (
        {'roi_head.shared_head.norm'} if '-c4_' in name else {'neck'}
    )
    assert {'key_encoder', 'neck', 'head'} == set(report.unused)


def batch(masks: bool) -> dict[str, Any]:
    """Two images with a box each, one of another size."""
    generator = torch.Generator().manual_seed(0)
    inputs, samples = [], []
    for height, width in ((96, 128), (112, 96)):
        image = torch.randint(0, 256, (3, height, width), generator=generator, dtype=torch.uint8)
        sample = DetDataSample(metainfo=dict(img_shape=(height, width), ori_shape=(height, width)))
        truth = InstanceData(
            bboxes=torch.tensor([[10.0, 20.0, 80.0, 90.0]]), labels=torch.tensor([3])
        )
        if masks:
            inside = torch.zeros(1, height, width, dtype=torch.uint8)
            inside[:, 20:90, 10:80] = 1
            truth.masks = BitmapMasks(inside.numpy(), height, width)
        sample.gt_instances, sample.ignored_instances = (
            truth,
            InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.int64)),
        )
        inputs.append(image)
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def test_one_forward_and_backward_pass(detector: Any) -> None:
    """Losses are finite and reach every weight; the running statistics of every norm move."""
    name, model = detector
    model.init_weights()
    model.train()
    before = {n: b.clone() for n, b in model.named_buffers() if n.endswith('running_mean')}
    data = model.data_preprocessor(batch('mask' in name), training=True)
    losses, _ = model.parse_losses(model(**data, mode='loss'))
    losses.backward()
    assert torch.isfinite(losses)
    untrained = [n for n, p in model.named_parameters() if p.grad is None]
    assert untrained == []
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
    still = [n for n, b in model.named_buffers() if n in before and torch.equal(b, before[n])]
    assert still == []
    assert len(before) == (54 if '-c4_' in name else 53 + 8)
    model.zero_grad()


@pytest.mark.parametrize('name', ['voc0712/faster-rcnn_r50-c4_ms-24k_voc0712.py'])
@pytest.mark.parametrize('split', ['train', 'test'])
def test_the_backbone_receives_what_pre_training_gave_it(
    name: str, split: str, tmp_path: Path
) -> None:
    """A file of one color, through the pipeline and the detector: (RGB - mean) / std, channel by
    channel, and the same numbers as the pre-training's own preprocessor makes of that color."""
    color = (200, 100, 50)
    write_voc(tmp_path, color)
    config = read(name)
    init_default_scope('mmdet')
    settings = config.test_dataloader.dataset
    if split == 'train':
        settings = config.train_dataloader.dataset.datasets[0]
    settings.update(data_root=str(tmp_path), ann_file='one.txt')
    settings.data_prefix = dict(sub_data_root='')
    model = MODELS.build(config.model)
    seen: list[Tensor] = []
    model.backbone = Recorder(seen)
    data = model.data_preprocessor(pseudo_collate([DATASETS.build(settings)[0]]), split == 'train')
    model.extract_feat(data['inputs'])
    (images,) = seen
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    expected = [(c - m) / s for c, m, s in zip(color, mean, std, strict=True)]
    for channel, value in enumerate(expected):
        found = images[0, channel].double()
        assert found.min().item() == pytest.approx(value, abs=1e-5)
        assert found.max().item() == pytest.approx(value, abs=1e-5)
    init_default_scope('mochi_mm')
    pretraining = OURS.build(load_config(ROOT / PRETRAINING).model.data_preprocessor)
    view = torch.tensor(color, dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    (theirs,) = pretraining(dict(inputs=[view], data_samples={}))['inputs']
    torch.testing.assert_close(theirs[0, :, 0, 0], images[0, :, 5, 5])


class Recorder(nn.Module):
    """Stands in for a backbone and keeps what it is given."""

    def __init__(self, seen: list[Tensor]) -> None:
        super().__init__()
        self.seen = seen

    def forward(self, images: Tensor) -> tuple[Tensor]:
        self.seen.append(images)
        return (images,)


def write_voc(root: Path, color: tuple[int, int, int]) -> None:
    """One image of one color, stored without loss under the name that VOC gives it."""
    (root / 'JPEGImages').mkdir()
    (root / 'Annotations').mkdir()
    data = io.BytesIO()
    Image.new('RGB', (60, 40), color).save(data, 'PNG')
    (root / 'JPEGImages/one.jpg').write_bytes(data.getvalue())
    (root / 'one.txt').write_text('one\n')
    (root / 'Annotations/one.xml').write_text(
        '<annotation><size><width>60</width><height>40</height></size><object><name>cat</name>'
        '<bndbox><xmin>5</xmin><ymin>5</ymin><xmax>30</xmax><ymax>30</ymax></bndbox></object>'
        '</annotation>'
    )


def test_c4_builds_no_last_stage_in_the_backbone() -> None:
    assert not hasattr(ResNet(50, out_indices=(2,)), 'layer4')


@pytest.mark.parametrize('path', SMALL, ids=lambda path: path.stem)
def test_small_detectors_fit_the_quickstart(path: Path, tmp_path: Path) -> None:
    """Network, mean and std are those of the pre-training that the demo starts from."""
    config = load_config(ROOT / transfer_demo.PRETRAINING)
    init_default_scope('mochi_mm')
    model = OURS.build(config.model)
    meta = dict(mochi_mm=describe_weights(model, config))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), tmp_path / 'epoch_1.pth')
    init_default_scope('mmdet')
    report = load_detector(MODELS.build(load_config(path).model), tmp_path / 'epoch_1.pth')
    assert sum(report.matched.values()) == len(model.backbone.state_dict())


def test_the_demo_runs_the_small_detectors() -> None:
    for path, layout, metric, _ in transfer_demo.DETECTORS.values():
        config = load_config(ROOT / path)
        assert layout in config.data_root and metric.split('/')[0] in ('voc', 'coco')
        described = (ROOT / f'configs/transfer/_base_/datasets/shapes_{layout}.py').read_text()
        options = ' '.join(described.replace('\\', '').split())
        assert f'--size {transfer_demo.SIZE} --objects 2 4' in options
        assert (
            f'--train {transfer_demo.SCENES["train"]} --val {transfer_demo.SCENES["val"]}'
            in options
        )


@pytest.mark.parametrize('name', ['coco', 'shapes'])
def test_a_best_value_of_a_detector_is_asked_for_by_a_name_that_it_has(name: str) -> None:
    """mmdet's ``bbox_mAP`` is called ``bbox_AP`` here; it was found out after days."""
    paths = sorted((ROOT / 'configs/transfer' / name).glob('*mask*.py'))
    assert paths
    key = 'default_hooks.checkpoint.save_best'
    with pytest.raises(ValueError, match=r"'coco/bbox_mAP' is not among .*Nearest: coco/bbox_AP,"):
        check_config(load_config(paths[0], {key: 'coco/bbox_mAP'}))
    check_config(load_config(paths[0], {key: 'coco/segm_AP'}))
