"""Without a GPU, what a GPU would say: a training step of every config on the meta device.

No tensor of a step lies elsewhere, and nothing waits for the host. What a step needs once, such as
constants of a color space, may be copied before.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from mochi_mm.datasets.in_memory import InMemory
from mochi_mm.models.heads import ContrastiveHead, HardNegativeMixingHead
from mochi_mm.models.kernels import pair_mixing
from mochi_mm.models.memories import FeatureQueue
from mochi_mm.models.mixers import PairMixing, QueryMixing
from mochi_mm.registry import MODELS
from mochi_mm.structures import Anchors
from tests.configs import STEPS, TRAINED, config_of, small_settings
from tests.meta import DeviceFault, StepOfNoGenerator, on_one_device
from tests.toy_runner import NoiseImages

ORACLE = 'configs/mochi/mochi-256-128-64_resnet10w025_1xb256-cosine-6e_cifar10-cpu-oracle.py'
HELD = 'configs/mocov2/mocov2_resnet18_1xb512-cosine-200e_cifar10-held.py'
KEY = StepOfNoGenerator(0, 0)


def small_model(config: Any) -> tuple[Any, int]:
    """The model of a config, cut down, on the meta device; and pixels of its images."""
    init_default_scope('mochi_mm')
    settings = small_settings(config.model)
    pixels = STEPS.PIXELS['small' if "'stem': 'small'" in str(settings) else 'imagenet']
    model = MODELS.build(copy.deepcopy(settings)).train()
    STEPS.count_images(model)
    return model.to('meta'), pixels


def take_step(model: Any, config: Any, batch: dict[str, Any]) -> list[str]:
    """What the hooks and the optimizer wrapper of a run do in a step, on one device.

    Returns the names of what is optimized and logged.
    """
    optim = dict(type='OptimWrapper', optimizer=config.optim_wrapper.optimizer.to_dict())
    optim['paramwise_cfg'] = config.optim_wrapper.get('paramwise_cfg')
    optimizer = build_optim_wrapper(model, optim).optimizer
    for module in model.modules():
        if hasattr(module, 'set_epoch'):
            module.set_epoch(0, 1)
        if hasattr(module, 'set_step'):
            module.set_step(KEY)
    with on_one_device(host=True, transfers=True, constants=True):
        model.data_preprocessor(batch, True)
    with on_one_device(host=True, transfers=True):
        data = model.data_preprocessor(batch, True)
    with on_one_device():
        results = model(**data, mode='loss')
        sum(value for name, value in results.items() if 'loss' in name).backward()
    with on_one_device(host=True):  # torch counts the steps of Adam on the host
        optimizer.step()
    with on_one_device():
        if hasattr(model, 'update_ema'):
            model.set_progress(0.0)
            model.update_ema()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert trained and all(parameter.grad is not None for parameter in trained)
    for name, value in (*model.named_parameters(), *model.named_buffers(), *results.items()):
        assert value.is_meta, name
    return list(results)


def test_every_config_that_trains_is_here() -> None:
    kinds = {config_of(name).model.type for name in TRAINED}
    assert kinds == {
        'AdversarialContrast',
        'CrossViewContrast',
        'ImageClassifier',
        'InBatchContrast',
        'MoCo',
    }
    assert len(TRAINED) > 60


@pytest.mark.parametrize('name', TRAINED)
def test_a_step_stays_on_the_device(name: str) -> None:
    config = config_of(name)
    model, pixels = small_model(config)
    views = STEPS.num_views(config.train_dataloader.dataset.get('pipeline', ()))
    batch = STEPS.batch_of(0, views, pixels, STEPS.num_channels(config.model))
    logged = take_step(model, config, STEPS.hide_labels(model, batch))
    assert any('loss' in name for name in logged) and len(logged) > 1


@pytest.mark.parametrize('kind', ['DeviceMultiView', 'HeldMultiView'])
def test_views_are_made_on_the_device(kind: str) -> None:
    """Crops, colors and flips as drawn; blur, which the config lacks, for some samples."""
    config = config_of(HELD)
    recipe = config.to_dict()['view_pipeline']
    recipe.insert(-1, dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=0.5))
    pipeline = [dict(type=kind, transforms=[recipe], num_views=[2]), dict(type='PackInputs')]
    images = InMemory(NoiseImages(size=12, pipeline=()), pipeline)
    batch = default_collate([images[index] for index in range(12)])
    blur = batch['data_samples']['view_parameters'].sigma
    assert (blur > 0).any() and (blur == 0).any()
    model, _ = small_model(config)
    model.data_preprocessor.hold(images.pixels)
    take_step(model, config, batch)


class FaultyHead(ContrastiveHead):
    """A head whose losses pass through a function."""

    def objective(self, anchors: Anchors, blocks: Any) -> Tensor:
        return self.fault(super().objective(anchors, blocks))


class Waits(torch.autograd.Function):
    """The identity, which looks at its gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * float(gradients[0].max())


@pytest.mark.parametrize(
    ('fault', 'message'),
    [
        (lambda x: x * x.mean().item(), r'_local_scalar_dense.* makes the host wait'),
        (lambda x: x if (x > 0).all() else -x, r'_local_scalar_dense.* makes the host wait'),
        (lambda x: x[(x > 0).nonzero()[:, 0]], r'nonzero.* makes the host wait'),
        (lambda x: x[x > 0], r'indexing by a boolean mask, aten\.index'),
        (lambda x: x.masked_select(x > 0), r'masked_select.* makes the host wait'),
        (lambda x: x * len((x > 0).unique()), r'unique.* makes the host wait'),
        (lambda x: x * sum(x.tolist()), r'_to_copy.* makes the host wait'),
        (lambda x: x.cpu(), r'_to_copy.* makes the host wait'),
        (lambda x: x * torch.tensor(2.0), r'has tensors on cpu; expected all on meta'),
        (lambda x: x[torch.zeros(2, dtype=torch.int64)], r'has tensors on cpu; expected'),
        (lambda x: x + torch.ones(len(x)).to(x.device), r'has tensors on cpu; expected'),
        (lambda x: x * torch.tensor(2.0, device=x.device), r'tensor\(2\.0\) at .* copies values'),
        (lambda x: x * x.new_tensor([2.0]), r'new_tensor\(\[2\.0\]\) at .* copies values'),
        (Waits.apply, r'_local_scalar_dense.* makes the host wait'),
    ],
)
def test_a_head_that_waits_or_leaves_the_device_is_found(
    fault: Callable[[Tensor], Tensor], message: str
) -> None:
    def step(function: Callable[[Tensor], Tensor]) -> None:
        head.fault = function
        query, key = (torch.empty(4, 8, device='meta', requires_grad=True) for _ in range(2))
        with on_one_device():
            head.loss(query, key)['loss_contrast'].backward()

    head = FaultyHead(FeatureQueue(length=16, dim=8)).to('meta')
    step(lambda x: 2 * x)
    with pytest.raises(DeviceFault, match=message) as error:
        step(fault)
    assert 'tests/models/test_meta_step.py:' in str(error.value)


def test_values_of_labels_and_indices_are_checked_before_they_are_moved() -> None:
    config = config_of(ORACLE)
    model, pixels = small_model(config)
    batch = STEPS.batch_of(0, 2, pixels)
    batch['data_samples']['gt_label'][3] = -1
    with pytest.raises(ValueError, match=r'class oracle needs gt_label .* unknown ones'):
        take_step(model, config, batch)


def test_the_step_of_mochi_in_fake_cuda_mode() -> None:
    """With autocast, and on the way that a CUDA device takes: its kernels, forward alone."""
    mixers = [PairMixing(num=8, distinct=True), QueryMixing(num=4)]
    head = HardNegativeMixingHead(
        FeatureQueue(length=64, dim=16), 16, mixers, mask_own_keys=True, oracle_loss=True
    )
    kernels: list[torch.device] = []

    def kernel(query: Tensor, *arguments: Tensor) -> Tensor:
        kernels.append(query.device)
        return query.new_empty(arguments[3].shape)

    triton = pytest.importorskip('mochi_mm.models.kernels.triton_pair_mixing')
    with (
        FakeTensorMode(),
        mock.patch.object(pair_mixing, 'triton_works', lambda device: True),
        mock.patch.object(triton.TritonPairMixing, 'apply', kernel),
    ):
        for name, buffer in list(head.named_buffers()):
            owner, _, short = name.rpartition('.')
            held = torch.empty(buffer.shape, dtype=buffer.dtype, device='cuda')
            setattr(head.get_submodule(owner), short, held)
        query, key = (torch.empty(8, 16, device='cuda', requires_grad=True) for _ in range(2))
        index = torch.empty(8, dtype=torch.int64, device='cuda')
        with on_one_device('cuda', autocast=True), torch.autocast('cuda', dtype=torch.bfloat16):
            results = head.loss(query @ key.T @ key, key, dict(gt_label=index, sample_idx=index))
    assert kernels == [torch.device('cuda', 0)]
    assert all(v.device.type == 'cuda' and v.dtype == torch.float32 for v in results.values())
