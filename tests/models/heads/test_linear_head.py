"""The linear head: start, numbers, dtype, labels."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.heads.linear_head import LinearHead


def test_start() -> None:
    torch.manual_seed(0)
    head = LinearHead(100, 200)
    assert torch.count_nonzero(head.fc.bias) == 0
    # 20000 draws of N(0, 0.01): the mean within 5 and the spread within 5 standard errors.
    weight = head.fc.weight.detach()
    assert abs(float(weight.mean())) < 5 * 0.01 / math.sqrt(20000)
    assert abs(float(weight.std()) - 0.01) < 5 * 0.01 / math.sqrt(40000)


def test_loss_accuracy_and_probabilities() -> None:
    head = LinearHead(3, 2)
    features = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [0.0, 3.0]])
    labels = torch.tensor([2, 0, 1])
    with torch.no_grad():
        head.fc.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
        head.fc.bias.copy_(torch.tensor([0.5, 0.0, -0.25]))
    result = head.loss(features, dict(gt_label=labels))
    total, right = 0.0, 0
    for (a, b), label in zip(features.tolist(), labels.tolist(), strict=True):
        logits = [a + 0.5, b, a + b - 0.25]
        total += math.log(sum(map(math.exp, logits))) - logits[label]
        right += logits.index(max(logits)) == label
    assert result['loss_classification'].item() == pytest.approx(total / 3, rel=1e-6)
    assert float(result['acc_top1']) == pytest.approx(right / 3) and 0 < right < 3
    probabilities = head.predict(features)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(3))
    torch.testing.assert_close(probabilities.log().diff(dim=1), head(features).diff(dim=1))


def test_label_smoothing_mixes_the_target_with_all_classes() -> None:
    features, labels = torch.tensor([[1.0, 2.0], [-1.0, 0.5]]), torch.tensor([2, 0])
    head = LinearHead(3, 2, label_smoothing=0.3)
    with torch.no_grad():
        head.fc.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    total = 0.0
    for (a, b), label in zip(features.tolist(), labels.tolist(), strict=True):
        logits = [a, b, a + b]
        target = [0.7 * (k == label) + 0.3 / 3 for k in range(3)]
        top = math.log(sum(map(math.exp, logits)))
        total += sum(t * (top - logit) for t, logit in zip(target, logits, strict=True))
    loss = head.loss(features, dict(gt_label=labels))['loss_classification']
    assert loss.item() == pytest.approx(total / 2, rel=1e-6)


def test_features_of_unit_length() -> None:
    plain, unit = LinearHead(3, 2), LinearHead(3, 2, normalize_input=True)
    unit.load_state_dict(plain.state_dict())
    expected = plain(torch.tensor([[0.6, -0.8]]))
    for scale in (1e-30, 1.0, 1e20):
        torch.testing.assert_close(unit(scale * torch.tensor([[3.0, -4.0]])), expected)


def test_logits_are_float32_under_autocast() -> None:
    head = LinearHead(4, 8)
    features = torch.randn(5, 8)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        logits = head(features)
    assert logits.dtype == torch.float32
    assert torch.equal(logits, head(features))
    half = LinearHead(4, 8).half()
    assert half(features.half()).dtype == torch.float32


@pytest.mark.parametrize(
    ('label', 'message'),
    [
        (-1, 'label -1; expected 0 to 2.*data set with labels'),
        (5, 'label 5; expected 0 to 2.*at least 6'),
    ],
)
def test_labels_outside_the_classes(label: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LinearHead(3, 2).loss(torch.zeros(2, 2), dict(gt_label=torch.tensor([0, label])))


def test_other_errors() -> None:
    with pytest.raises(ValueError, match='no gt_label'):
        LinearHead(3, 2).loss(torch.zeros(2, 2), None)
    with pytest.raises(ValueError, match='num_classes is 0'):
        LinearHead(0, 2)
    for value in (1.0, -0.1, '0.1'):
        with pytest.raises(ValueError, match=f'label_smoothing is {value!r}'):
            LinearHead(3, 2, label_smoothing=value)
