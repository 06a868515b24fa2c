"""ResCom's contrast: worked values, a slow loop with its mining, ranks, what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.heads import ResComHead, SupConHead
from mochi_mm.models.memories import ClassBalancedQueue, FeatureQueue, SampleTable
from mochi_mm.structures import DataFacts, Views
from tests.models.heads.toy import mixing
from tests.reference import contrast_loop, dot, random_units, unit

CLASSES, EACH, DIM, BETA = 3, 3, 6, 0.9
COUNTS = [9, 4, 1]


def told(head: ResComHead, counts: list[int]) -> None:
    """Tell all parts of the head the facts of a data set, as a run does."""
    labelled = torch.ones(sum(counts)).bool()
    for module in head.modules():
        if hasattr(module, 'set_data'):
            module.set_data(DataFacts(sum(counts), (), torch.tensor(counts), labelled))


def queue(keys: int = 7) -> ClassBalancedQueue:
    """A queue of which some rings are not full."""
    memory = ClassBalancedQueue(CLASSES, EACH, DIM)
    numbers = torch.arange(keys)
    memory.enqueue(random_units(keys, DIM, 50).float(), numbers * numbers % 3 % 2, numbers)
    return memory


def make(keys: int = 7, **settings: Any) -> ResComHead:
    chosen: dict[str, Any] = dict(num_positives=2, num_negatives=3, effective_beta=BETA)
    return ResComHead(queue(keys), **{**chosen, 'class_counts': COUNTS, **settings})


def batch(size: int, seed: int = 0, views: int = 2) -> tuple[Tensor, dict[str, Tensor]]:
    numbers = torch.arange(size)
    rows = 2 * random_units(size * views, DIM, seed).float().view(size, views, DIM)
    return rows, dict(gt_label=(numbers + seed) % CLASSES, sample_idx=numbers + seed)


def loop(head: ResComHead, features: Tensor, samples: dict[str, Tensor]) -> float:
    """The mean over all views, by the definition, in float64; before anything is written."""
    labels = samples['gt_label'].tolist()
    rows = [
        (b, v, unit(features[b, v].detach().double()))
        for b in range(len(features))
        for v in range(features.shape[1])
    ]
    bank, owners = head.memory.features.double(), head.memory.labels.tolist()
    images = head.memory.indices.tolist()
    numbers = [(1 - BETA**n) / (1 - BETA) for n in COUNTS]
    losses = []
    for b, v, row in rows:
        pairs = [(dot(row, r), labels[i] == labels[b]) for i, w, r in rows if (i, w) != (b, v)]
        own = int(samples['sample_idx'][b]) if head.mask_own_keys else None
        held = [j for j in range(len(bank)) if owners[j] >= 0 and images[j] != own]
        same = sorted(dot(row, bank[j]) for j in held if owners[j] == labels[b])
        others = sorted(-dot(row, bank[j]) for j in held if owners[j] != labels[b])
        pairs += [(cosine, True) for cosine in same[: head.num_positives]]
        pairs += [(-cosine, False) for cosine in others[: head.num_negatives]]
        logits = [cosine / head.temperature for cosine, _ in pairs]
        loss = contrast_loop(logits, [float(p) for _, p in pairs], [0.0] * len(pairs))
        losses.append(loss * sum(numbers) / len(numbers) / numbers[labels[b]])
    return head.weight * sum(losses) / len(losses)


def test_worked_values() -> None:
    memory = ClassBalancedQueue(num_classes=2, per_class=2, dim=2)
    keys = torch.tensor([(0.96, 0.28), (0.6, 0.8), (0.28, 0.96), (-0.6, 0.8)])
    memory.enqueue(keys, torch.tensor([0, 0, 1, 1]))
    head = ResComHead(memory, 1, 1, temperature=0.2, effective_beta=0.9)
    told(head, [10, 2])
    features = torch.tensor([[(1.0, 0.0), (0.8, 0.6)], [(0.0, 1.0), (0.6, 0.8)]])
    losses = head.loss(features, dict(gt_label=torch.tensor([0, 1])))
    assert float(losses['loss_contrast']) == pytest.approx(2.848065, abs=2e-6)
    assert memory.features[0].tolist() == [1, 0] and memory.features[2].tolist() == [0, 1]
    assert memory.pointer.tolist() == [1, 1] and memory.count.tolist() == [2, 2]


@pytest.mark.parametrize('keys', [0, 1, 7, 40])
@pytest.mark.parametrize(
    'settings',
    [
        dict(),
        dict(num_positives=0),
        dict(num_negatives=0),
        dict(num_positives=1, num_negatives=1, temperature=0.5, weight=0.5),
        dict(num_positives=3, num_negatives=6),
        dict(mask_own_keys=True),
    ],
)
def test_equals_the_loop(settings: dict[str, Any], keys: int) -> None:
    head = make(keys, **settings)
    for step, (size, views) in enumerate([(2, 2), (5, 2), (3, 3), (7, 2)]):
        features, samples = batch(size, step, views)
        expected = loop(head, features, samples)
        loss = head.loss(features, samples)['loss_contrast']
        assert float(loss) == pytest.approx(expected, abs=1e-6, rel=2e-6)


def test_what_is_not_mined_is_not_seen_and_has_no_gradient() -> None:
    head = make()
    features, samples = batch(4)
    step = head.compute(Views(dict(enumerate(features.unbind(1))), samples=samples))
    mined = step.block('memory')
    kept, positive = ~mined.need('dropped'), mined.need('pull') > 0
    assert not (kept & ~head.memory.held()).any()
    assert int((kept & positive).sum(1).max()) == 2 and int((kept & ~positive).sum(1).max()) == 3
    for a in range(len(kept)):
        cosines = mined.similarity[a]
        taken, left = kept[a] & ~positive[a], ~kept[a] & ~positive[a] & head.memory.held()
        assert not left.any() or float(cosines[taken].min()) >= float(cosines[left].max())
        taken, left = kept[a] & positive[a], ~kept[a] & positive[a] & head.memory.held()
        assert not left.any() or float(cosines[taken].max()) <= float(cosines[left].min())
    statistics = step.statistics
    for name, chosen in (('positive', kept & positive), ('negative', kept & ~positive)):
        mean = float(mined.similarity[chosen].mean())
        assert float(statistics[f'sim_mined_{name}']) == pytest.approx(mean, abs=1e-6)


def test_with_the_whole_queue_and_equal_weights_it_is_supcon_over_it() -> None:
    """Everything mined, no key in the queue: the loss of the batch alone."""
    features, samples = batch(6)
    ours = make(0, effective_beta=0, class_counts=None).loss(features, samples)['loss_contrast']
    plain = SupConHead(temperature=0.2).loss(features, samples)['loss_contrast']
    torch.testing.assert_close(ours, plain)


def test_the_first_view_is_queued_and_the_queue_is_resumed() -> None:
    head, other = make(0), make(3)
    features, samples = batch(5)
    head.loss(features, samples)
    rows = torch.nn.functional.normalize(features[:, 0], dim=1)
    torch.testing.assert_close(head.memory.features[0], rows[0])
    assert head.memory.count.tolist() == [2, 2, 1]
    other.load_state_dict(head.state_dict())
    losses = [h.loss(*batch(4, 1)) for h in (head, other)]
    for name, value in losses[0].items():
        assert torch.equal(value, losses[1][name]), name
    for name, value in head.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_labels_from_a_table_and_mixing() -> None:
    table = SampleTable(20)
    table.write(torch.arange(20), label=torch.arange(20) % CLASSES)
    head, plain = make(0, table=table), make(0)
    for seed in range(3):
        features, samples = batch(6, seed)
        found = [
            plain.loss(features, samples),
            head.loss(features, dict(sample_idx=samples['sample_idx'])),
        ]
        assert torch.equal(found[0]['loss_contrast'], found[1]['loss_contrast'])
    assert torch.equal(head.memory.features, plain.memory.features)
    mixed = make(mixing=mixing(num_hard=2))
    assert 'share_harder' in mixed.loss(features, samples)


def test_settings_that_do_not_fit() -> None:
    memory = dict(type='ClassBalancedQueue', num_classes=4, per_class=5, dim=8)
    with pytest.raises(ValueError, match='num_positives is 6 but the queue holds 5 keys of each'):
        ResComHead(memory, num_positives=6, num_negatives=1)
    with pytest.raises(ValueError, match='num_negatives is 16 but the queue holds 15 keys of the'):
        ResComHead(memory, num_negatives=16)
    with pytest.raises(ValueError, match='num_positives and num_negatives are 0'):
        ResComHead(memory, 0, 0)
    with pytest.raises(ValueError, match='memory is a FeatureQueue; ResComHead expects a Class'):
        ResComHead(FeatureQueue(8, 8), 1, 1)
    for beta in (1, -0.1, 'x'):
        with pytest.raises(ValueError, match=f'effective_beta is {beta!r}; expected .* below 1'):
            ResComHead(memory, 1, 1, effective_beta=beta)
    with pytest.raises(ValueError, match='oracle_loss and oracle_mix leave out'):
        ResComHead(memory, 1, 1, oracle_loss=True)
    with pytest.raises(ValueError, match='num_positives is -1; expected an integer >= 0'):
        ResComHead(memory, -1, 1)


def test_facts_and_labels_that_do_not_fit() -> None:
    head = ResComHead(queue(), 1, 1)
    with pytest.raises(ValueError, match='ResComHead does not know how many images each of its 3'):
        head.loss(*batch(4))
    with pytest.raises(ValueError, match='queue is made for 3 classes but the training set has 2'):
        told(head, [3, 2])
    with pytest.raises(ValueError, match='1 of the 3 classes have no image .* class 1; '):
        told(head, [3, 0, 2])
    features, samples = batch(4)
    with pytest.raises(ValueError, match='label 3 but ResComHead has 3 classes; expected .*0 to 2'):
        make().loss(features, dict(gt_label=samples['gt_label'] + 1))
    with pytest.raises(ValueError, match='unknown ones'):
        make().loss(features, dict(gt_label=samples['gt_label'] - 1))
