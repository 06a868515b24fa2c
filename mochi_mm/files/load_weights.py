"""Loading of weights from a file into a model: all loading of this project goes through here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mochi_mm.files.adapt_stem import adapt_stem, other_channels
from mochi_mm.files.architecture import blocks_of, describe
from mochi_mm.files.check_input import contradictions, input_of
from mochi_mm.files.checkpoint import local_path, read_checkpoint
from mochi_mm.files.find_backbone import behind
from mochi_mm.files.fit import Fit, fit, some
from mochi_mm.files.origin import Input
from mochi_mm.files.shown import shown_path
from mochi_mm.files.trained_weights import check_weights
from mochi_mm.files.weight_sets import counted, weights_of
from mochi_mm.files.weights_record import record_of
from mochi_mm.files.weights_source import Source, input_recorded, recognize
from mochi_mm.structures.protocols import StartsCopies
from mochi_mm.utils.class_names import check_same_names, names_in
from mochi_mm.utils.unwrap import unwrap

_TIMM = 'timm.'  # stands before all names of a timm backbone
_RECORDED = 'recorded in the file'
_NOT_RECORDED = 'not recorded in the file; what the code it comes from uses'


def load_backbone(
    model: nn.Module,
    path: str | Path,
    allow_other_input: bool = False,
    content: Mapping[str, Any] | None = None,
    checkpoint_key: str | None = None,
    stem: str | None = None,
) -> str:
    """Load the backbone's weights from a file and return a report.

    A model with an averaged encoder starts it as a copy of the trained one.

    Args:
        model: A model with a ``backbone``, its data-parallel wrapper, or a backbone.
        path: A file of one of :data:`mochi_mm.files.origin.ORIGINS`, a backbone alone, or bare
            weights under the backbone's own names.
        allow_other_input: Load although the model's data preprocessor makes other images than the
            weights were trained on; the report then says so.
        content: What ``path`` holds, where it has been read.
        checkpoint_key: Which weights of a file that holds several, see
            :func:`mochi_mm.files.weight_sets.weights_of`.
        stem: Rule by which weights of three channels are taken into a model of another number, see
            :func:`mochi_mm.files.adapt_stem.adapt_stem`; the images are then others by intent. None
            refuses such weights.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file does not hold this backbone, whole, in the right shapes and no more of
            it; holds a weight that is not finite; or was trained on other images. The model is
            then as it was.
    """
    model = unwrap(model)
    backbone: nn.Module = getattr(model, 'backbone', model)
    state = backbone.state_dict()
    prefix = _TIMM if all(name.startswith(_TIMM) for name in state) else ''
    wanted = {name.removeprefix(prefix): value for name, value in state.items()}
    path = local_path(path)
    content = read_checkpoint(path) if content is None else content
    source = recognize(content, path, wanted, checkpoint_key)
    adapted = ''
    if stem is not None:
        tensors, adapted = adapt_stem(source.tensors, wanted, stem, str(source.path))
        source = replace(source, tensors=tensors)
    made = match_backbone(source, wanted, expected=_other_channels(source, wanted))
    told = _RECORDED if source.record is not None else _NOT_RECORDED
    allow = allow_other_input or stem is not None
    note = adapted + check_images(model, source.input, str(source.path), told, allow)
    backbone.load_state_dict({prefix + n: t for n, t in made.matched.items()}, strict=False)
    note = _copies_note(model) + note
    others = f', beside it {counted(source.others)}' if source.others else ''
    told = f'; {told}' if (told := source.taken.told()) else ''
    return f'{made.report()}, written by {source.origin.name}{others}{told}{note}'


def _other_channels(source: Source, wanted: Mapping[str, Tensor]) -> str:
    """Return expectation and fix, for a file that may be of other channels."""
    text = 'Expected a checkpoint of the same backbone.'
    for name, value in wanted.items():
        if name in source.tensors and other_channels(source.tensors[name], value):
            text += (
                f' The file is of images of 3 channels, the model of {value.shape[1]}: '
                "--adapt-stem mean beside --from, PretrainedHook(adapt_stem='mean'), or "
                "adapt_stem='mean' of init_cfg, takes the mean of the three for each."
            )
    return text


def match_backbone(
    source: Source,
    wanted: Mapping[str, Tensor],
    where: str = 'the model',
    expected: str = 'Expected a checkpoint of the same backbone.',
) -> Fit:
    """Return the comparison of a file with a backbone, or refuse the file.

    Args:
        source: The file.
        wanted: Weights of the backbone under torchvision's names, or its own.
        where: Whose backbone it is, for the error.
        expected: Expectation and fix, for the error.

    Raises:
        ValueError: A weight is missing, has another shape or is not finite, or the file holds a
            larger network. Batch counters may be missing.
    """
    found = source.tensors
    made = fit(wanted, found, str(source.path), 'the backbone', where)
    theirs, ours = blocks_of(found), blocks_of(wanted)
    deeper = [stage for stage in ours if theirs.get(stage, 0) > ours[stage]]
    parts = {name.split('.')[0] for name in wanted}
    more = [name for name in made.unused if name.split('.')[0] in parts]
    further = []
    if deeper:
        further = [f'the file has more blocks in layer{deeper[0]}']
    elif more:
        further = [
            f'the file has {len(more)} weights in these parts that {where} lacks, first '
            f'{shown_path(more[0])}'
        ]
    made.demand(
        f'The file holds {describe(found)}; {where} wants {describe(wanted)}. {expected}', further
    )
    check_weights(made.matched, made.source, wanted)
    return made


def check_images(model: nn.Module, trained: Input, path: str, told: str, allow: bool) -> str:
    """Refuse a model that shows its backbone other images than it was trained on.

    Args:
        model: A model; one without a data preprocessor is not looked at.
        trained: The images of the training; what is unknown differs from nothing.
        path: The file of the weights.
        told: Source of what is known of the images.
        allow: Return the contradictions, for a report, and do not raise.

    Raises:
        ValueError: Mean, standard deviation or channel order differ.
    """
    if getattr(model, 'data_preprocessor', None) is None:
        return ''
    wrong = contradictions(trained, input_of(model), 'the config', 'type or space')
    text = f'the config contradicts {path} ({told}): {"; ".join(wrong)}'
    if wrong and not allow:
        raise ValueError(
            f'{text}. What is measured on other images than the weights were trained on says '
            'little of them. Give the config the values of the weights, such as --cfg-options '
            'model.data_preprocessor.mean=[R,G,B], or allow it: --allow-other-input of a tool, '
            'allow_other_input=True of a hook or of init_cfg.'
        )
    return f'. Allowed: {text}' if wrong else ''


def check_recorded_images(model: nn.Module, content: Mapping[str, Any], path: str) -> None:
    """Refuse a file whose record names other images than a model makes; without a record, nothing.

    Args:
        model: See :func:`check_images`.
        content: What the file holds.
        path: The file.

    Raises:
        ValueError: Mean, standard deviation or channel order differ.
    """
    check_images(model, input_recorded(record_of(content, path)), path, _RECORDED, allow=False)


def load_for_test(
    model: nn.Module,
    path: str | Path,
    classes: Sequence[str] = (),
    allow_other_input: bool = False,
    content: Mapping[str, Any] | None = None,
    checkpoint_key: str | None = None,
) -> str:
    """Load the weights that testing needs: all, or the backbone if the model has nothing else.

    Args:
        model: A model, or its data-parallel wrapper.
        path: A checkpoint; where the model is a backbone alone, whatever :func:`load_backbone`
            takes.
        classes: Names of the classes of the test images, compared with those that a head was
            trained on, which the checkpoint holds; none where they are not known.
        allow_other_input: See :func:`load_backbone`.
        content: What ``path`` holds, where it has been read.
        checkpoint_key: See :func:`load_backbone`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: A weight of the model is missing, has another shape or is not finite, the head
            was trained on other classes, or the weights on other images.
    """
    model = unwrap(model)
    if all(name.startswith('backbone.') for name in model.state_dict()):
        return load_backbone(model, path, allow_other_input, content, checkpoint_key)
    content = read_checkpoint(path) if content is None else content
    taken = weights_of(content, path, checkpoint_key)
    made = fit(model.state_dict(), taken.tensors, str(path), 'the model')
    if made.missing and all(name.startswith('head.') for name in made.missing):
        raise ValueError(
            f'{path} has no trained head: it lacks {some(made.missing)}, so its accuracy would be '
            'that of chance. Train the probe first (tools/train.py CONFIG --cfg-options '
            f'pretrained={path}) and test the checkpoint of the probe.'
        )
    made.demand(
        'Expected a checkpoint of the same config; a probe is tested with the checkpoint of the '
        'probe.'
    )
    check_weights(made.matched, str(path), model.state_dict())
    meta = content.get('meta')
    trained = names_in(meta.get('dataset_meta') if isinstance(meta, Mapping) else None)
    check_same_names(trained, classes, 'training', 'test')
    images = input_recorded(record_of(content, path))
    note = check_images(model, images, str(path), _RECORDED, allow_other_input)
    model.load_state_dict(made.matched, strict=False)
    told = f'; {told}' if (told := taken.told()) else ''
    unused = f'{len(made.unused)} not used'
    return f'{len(made.matched)} weights loaded from {path}, {unused}{told}{note}'


def load_part(
    module: nn.Module,
    path: str | Path,
    prefix: str = '',
    checkpoint_key: str | None = None,
    stem: str | None = None,
) -> str:
    """Load one part of a model and return a report.

    Args:
        module: The part.
        path: The file.
        prefix: Text before the part's own names in the file, such as ``backbone.``. Without
            one, a backbone is also taken from any file that holds it.
        checkpoint_key: See :func:`load_backbone`.
        stem: See :func:`load_backbone`.

    Raises:
        FileNotFoundError: No such file.
        ValueError: A weight is missing, has another shape or is not finite.
    """
    content, wanted = read_checkpoint(path), module.state_dict()
    tensors = weights_of(content, path, checkpoint_key).tensors
    there = behind(tensors, prefix, wanted)
    found = there.tensors
    if not prefix and not there.share:
        found = recognize(content, Path(path), wanted, checkpoint_key).tensors
    note = ''
    if stem is not None:
        found, note = adapt_stem(found, wanted, stem, str(path))
    made = fit(wanted, found, str(path), type(module).__name__)
    made.demand(
        'Expected a checkpoint of the same part; set prefix if its names there begin with one'
        f'{f" (it is {prefix} here)" if prefix else ""}. The file has {some(tensors) or "none"}.'
    )
    check_weights(made.matched, str(path), wanted)
    module.load_state_dict(made.matched, strict=False)
    return made.report() + note


def _copies_note(model: nn.Module) -> str:
    """Start an averaged encoder, or norms apart, as copies of the trained ones, and say so."""
    if not isinstance(model, StartsCopies) or not model.copies:
        return ''
    model.reset_copies()
    return f'. Started as copies of it: {", ".join(model.copies)}'
