"""The classifier: what is trained, in which mode, and what it predicts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from mochi_mm.evaluation.top_k_accuracy import TopKAccuracy
from mochi_mm.models.algorithms.image_classifier import ImageClassifier
from tests.evaluation.toy import ToyImages, toy_loader


def classifier(**changes: Any) -> ImageClassifier:
    init_default_scope('mochi_mm')
    torch.manual_seed(0)
    settings: dict[str, Any] = dict(
        backbone=dict(type='ToyBackbone'),
        head=dict(type='LinearHead', num_classes=6, in_channels=16),
    )
    return ImageClassifier(**{**settings, **changes})


def steps(model: ImageClassifier, number: int = 3, lr: float = 0.5) -> None:
    wrapper = build_optim_wrapper(
        model,
        dict(
            type='OptimWrapper', optimizer=dict(type='SGD', lr=lr, momentum=0.9, weight_decay=0.1)
        ),
    )
    model.train()
    for _ in range(number):
        for batch in toy_loader(ToyImages()):
            model.train_step(batch, wrapper)


def test_a_frozen_backbone_does_not_change_and_the_head_does() -> None:
    model = classifier(freeze_backbone=True)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    steps(model)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith('backbone.'), name
    assert not any(p.requires_grad or p.grad is not None for p in model.backbone.parameters())


def test_a_frozen_backbone_stays_in_evaluation_mode_and_builds_no_graph() -> None:
    model = classifier(freeze_backbone=True)
    model.train()
    assert model.training and model.head.training
    assert not any(module.training for module in model.backbone.modules())
    saved: list[torch.Size] = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: saved.append(t.shape) or t, lambda t: t
    ):
        model.loss([torch.randn(4, 3, 8, 8)], dict(gt_label=torch.arange(4)))
    assert saved and all(len(shape) <= 2 for shape in saved)  # no feature map is kept
    model.requires_grad_(True)  # someone unfreezes the parameters: still none through the backbone
    model.loss([torch.randn(4, 3, 8, 8)], dict(gt_label=torch.arange(4)))[
        'loss_classification'
    ].backward()
    assert all(p.grad is None for p in model.backbone.parameters())


def test_fine_tuning_trains_everything() -> None:
    model = classifier()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    steps(model, number=1)
    for name, value in model.state_dict().items():
        assert not torch.equal(value, before[name]), name


def test_predictions_are_what_the_metric_reads() -> None:
    model = classifier(freeze_backbone=True)
    steps(model, number=30, lr=0.05)
    model.eval()
    evaluator = Evaluator([TopKAccuracy(topk=(1, 5))])
    dataset = ToyImages(24, seed=7)
    right = 0
    with torch.no_grad():
        for batch in toy_loader(dataset):
            evaluator.process(model.test_step(batch), batch)
        for sample in dataset:
            data = model.data_preprocessor(dict(inputs=[sample['inputs'][0][None]]), False)
            logits = model.head(model.extract_feat(data['inputs']))
            right += int(logits.argmax()) == sample['data_samples']['gt_label']
    assert right > 12  # chance is 4
    assert evaluator.evaluate(24)['accuracy/top1'] == pytest.approx(100 * right / 24)


def test_errors() -> None:
    view = torch.randn(2, 3, 8, 8)
    labels = dict(gt_label=torch.arange(2))
    with pytest.raises(ValueError, match='takes 1 views of each image, got 2'):
        classifier()([view, view], labels, mode='loss')
    with pytest.raises(ValueError, match='one view, got 2'):
        classifier()([view, view], labels, mode='predict')
    with pytest.raises(ValueError, match='gives 16 channels but the head takes 8'):
        classifier(head=dict(type='LinearHead', num_classes=6, in_channels=8))
    headless = classifier(head=None, freeze_backbone=True)
    for mode in ('loss', 'predict'):
        with pytest.raises(ValueError, match='has no head'):
            headless([view], labels, mode=mode)
    assert any(p.requires_grad for p in headless.parameters())  # data parallelism needs one
