"""Loading pre-trained weights into a detector, whole and with a report, or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from mochi_mm.files.architecture import describe
from mochi_mm.files.check_input import contradictions, input_of, numbers
from mochi_mm.files.load_weights import match_backbone
from mochi_mm.files.origin import Input
from mochi_mm.files.weights_source import Source, read_source
from mochi_mm.transfer.weights.kernel_norms import with_fresh_norms
from mochi_mm.transfer.weights.report import LoadReport
from mochi_mm.transfer.weights.style import style_of

Value = str | tuple[float, ...] | None
_EXPECTED = (
    'Expected the same network: choose the detection config that fits the checkpoint, or change '
    'model.backbone (and roi_head.shared_head).'
)


def load_detector(
    model: nn.Module,
    path: str | Path,
    trained_with: Mapping[str, Any] | None = None,
    fresh_norms: bool = False,
    checkpoint_key: str | None = None,
) -> LoadReport:
    """Fill the backbone of ``model``, and the last stage where a C4 head holds it, from ``path``.

    Args:
        model: A detector with a ``backbone``, without a data-parallel wrapper.
        path: A checkpoint of one of :data:`mochi_mm.files.origin.ORIGINS`.
        trained_with: ``mean``, ``std`` (gray levels) and ``channel_order`` that the weights were
            trained with, for files that do not say so themselves.
        fresh_norms: Scale each kernel to the norm of the one it replaces, see
            :func:`mochi_mm.transfer.weights.kernel_norms.with_fresh_norms`.
        checkpoint_key: Which weights of a file that holds several, see
            :func:`mochi_mm.files.weight_sets.weights_of`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file is no checkpoint or of no known origin; does not cover every weight
            of the backbone in the right shape; holds a deeper network; or the detector feeds
            other images than the weights were trained on. The model is then as it was.
    """
    wanted = _wanted(model)
    state = model.state_dict()
    fresh = {bare: state[full] for full, bare in wanted.items()}
    source = read_source(path, fresh, checkpoint_key)
    matched = match_backbone(source, fresh, 'the detector', _EXPECTED).matched
    lines = _check(model, source, trained_with)
    if fresh_norms:
        matched, factors = with_fresh_norms(matched, fresh)
        lines += (('kernels', _scaling(factors)),)
    filled = {full: matched[bare] for full, bare in wanted.items() if bare in matched}
    model.load_state_dict(filled, strict=False)  # it covers all but counters
    if source.taken.beside:
        lines = (('taken from', source.taken.told().removeprefix('taken from ')), *lines)
    unused = Counter(source.others)
    unused.update(name.split('.')[0] for name in source.tensors if name not in matched)
    return LoadReport(
        str(path),
        source.origin.name,
        matched=dict(Counter(_part(full) for full in filled)),
        new=dict(Counter(_part(full) for full in state if full not in wanted)),
        counters=len(wanted) - len(filled),
        unused=dict(unused),
        lines=lines,
    )


def _wanted(model: nn.Module) -> dict[str, str]:
    """Return the weights that come from the file: names in the detector, and torchvision's."""
    backbone = getattr(model, 'backbone', None)
    if not isinstance(backbone, nn.Module):
        raise ValueError(f'{type(model).__name__} has no backbone; expected an mmdet detector.')
    wanted = {f'backbone.{name}': name for name in backbone.state_dict()}
    shared = getattr(getattr(model, 'roi_head', None), 'shared_head', None)
    if isinstance(shared, nn.Module):
        for name in shared.state_dict():
            if name.startswith('layer'):  # a stage of the network; its norm is the detector's own
                wanted[f'roi_head.shared_head.{name}'] = name
    return wanted


def _check(
    model: nn.Module, source: Source, trained_with: Mapping[str, Any] | None
) -> tuple[tuple[str, str], ...]:
    """Compare network, style and input of the detector with those of the weights; return facts."""
    _check_record(model, source)
    style = style_of(model)
    if style == 'caffe':
        raise ValueError(
            f"{source.path} was trained with the stride in the 3x3 convolution (style 'pytorch'), "
            "the detector has style='caffe'; set style='pytorch' in model.backbone and in "
            'roi_head.shared_head.'
        )
    trained, told = source.input, 'recorded in the file'
    if source.record is None:
        told = 'not recorded in the file; what the code it comes from uses'
        if trained_with is not None:
            trained, told = _stated(trained_with), 'stated in the config'
    elif trained_with is not None:
        filled = _filled(trained_with, trained)
        if contradictions(trained, filled):
            raise ValueError(
                f'{source.path} records mean {numbers(trained.mean)}, std {numbers(trained.std)} '
                f'and channel order {trained.channel_order}, trained_with says '
                f'{dict(trained_with)}. The file knows: leave trained_with out.'
            )
        trained = filled
    detector = input_of(model)
    wrong = contradictions(trained, detector)
    if wrong:
        raise ValueError(
            f'the detector contradicts {source.path} ({told}): {"; ".join(wrong)}. Give the '
            'detector the values of the weights'
            + (
                '.'
                if source.record is not None
                else ', or state what they were trained with: trained_with=dict(mean=..., std=..., '
                'channel_order=...) in DetectorPretrainedHook.'
            )
        )
    return (
        ('network', describe(source.tensors)),
        ('style', 'pytorch, in both' if style else 'no strided bottleneck'),
        ('channel order', _fact(trained.channel_order, detector.channel_order, told)),
        ('mean', _fact(trained.mean, detector.mean, told)),
        ('std', _fact(trained.std, detector.std, told)),
    )


def _check_record(model: nn.Module, source: Source) -> None:
    recorded = (source.record or {}).get('backbone') or {}
    for name in ('depth', 'width', 'stem'):
        expected, given = recorded.get(name), getattr(model.backbone, name, None)
        if None not in (expected, given) and expected != given:
            raise ValueError(
                f'{source.path} records {name}={expected!r} for its backbone, the detector has '
                f'{given!r}; set model.backbone.{name}={expected!r}.'
            )


def _stated(values: Mapping[str, Any]) -> Input:
    """Return ``trained_with``, checked."""
    unknown = set(values) - {'mean', 'std', 'channel_order'}
    if unknown:
        raise ValueError(
            f'trained_with has {", ".join(sorted(unknown))}; expected mean, std, channel_order.'
        )
    order = values.get('channel_order')
    if order not in ('rgb', 'bgr', None):
        raise ValueError(f"trained_with.channel_order is {order!r}; expected 'rgb' or 'bgr'.")
    levels = {}
    for name in ('mean', 'std'):
        given = values.get(name)
        number = isinstance(given, Sequence) and len(given) == 3
        if given is not None and not (number and all(isinstance(v, (int, float)) for v in given)):
            raise ValueError(f'trained_with.{name} is {given!r}; expected three gray levels.')
        levels[name] = None if given is None else tuple(float(v) for v in given)
    return Input(levels['mean'], levels['std'], order)


def _filled(values: Mapping[str, Any], recorded: Input) -> Input:
    """Return ``trained_with``, and what it leaves open as recorded."""
    stated = _stated(values)
    return Input(
        stated.mean or recorded.mean,
        stated.std or recorded.std,
        stated.channel_order or recorded.channel_order,
    )


def _fact(trained: Value, detector: Value, told: str) -> str:
    shown = detector if isinstance(detector, str) else numbers(detector)
    if trained is None:
        return f'{shown} in the detector; of the weights unknown: make sure that it is the same'
    return f'{shown} in both ({told})'


def _scaling(factors: Mapping[str, float]) -> str:
    least, most = min(factors, key=lambda n: factors[n]), max(factors.values())
    return (
        f'scaled to the norms of fresh ones, by {factors[least]:.3g} ({least}) to {most:.3g}, and '
        'their batch norms with them: the same outputs'
    )


def _part(full: str) -> str:
    """Return the part of the detector that a tensor belongs to."""
    parts = full.split('.')
    if parts[:2] == ['roi_head', 'shared_head']:
        return '.'.join(parts[:3])
    return '.'.join(parts[:2]) if parts[0] == 'roi_head' else parts[0]
