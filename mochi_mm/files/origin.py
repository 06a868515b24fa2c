"""Known writers of checkpoints, and the names of weights that tell them apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Input:
    """The images that a backbone sees.

    Attributes:
        mean: A gray level (0 to 255) for each channel, in their order; None where unknown.
        std: Standard deviations in gray levels, in the same order; None where unknown.
        channel_order: ``rgb``, ``bgr``, another word that the record of a file has, or None where
            unknown.
    """

    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    channel_order: str | None = None


_RGB = Input(channel_order='rgb')
# Meaning of a mean and a standard deviation of None in a record.
NOT_NORMALIZED = Input((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
IMAGENET = Input((123.675, 116.28, 103.53), (58.395, 57.12, 57.375), 'rgb')


@dataclass(frozen=True)
class Origin:
    """One kind of checkpoint.

    Attributes:
        name: Name of the writer, for people.
        prefix: Text before the names of the backbone's weights, behind ``module.``.
        markers: The file is of this kind if one of its names starts with one of these; empty for a
            kind that only its prefix tells.
        input: Images that its own code feeds the backbone, where all such files were trained so.
    """

    name: str
    prefix: str
    markers: tuple[str, ...] = ()
    input: Input = Input()

    def fits(self, names: Iterable[str]) -> bool:
        """Return whether ``names`` are those of a checkpoint of this kind."""
        listed = list(names)
        marked = not self.markers or any(name.startswith(self.markers) for name in listed)
        return marked and any(name.startswith(self.prefix) for name in listed)


# The first that fits is taken, so the more telling ones stand first.
ORIGINS = (
    Origin('mochi_mm on a timm backbone', 'backbone.timm.', input=_RGB),
    Origin('a timm backbone of mochi_mm alone', 'timm.', input=_RGB),
    Origin('mochi_mm', 'backbone.', ('key_encoder.',), _RGB),
    Origin('official MoCo or MoCHi', 'encoder_q.', input=IMAGENET),
    Origin('official MoCo-v3', 'base_encoder.', ('momentum_encoder.',), IMAGENET),
    Origin('VISSL', '_feature_blocks.', input=IMAGENET),
    Origin(
        'lightly',
        'backbone.',
        ('projection_head.', 'query_backbone.', 'backbone_momentum.', 'momentum_backbone.0.'),
        _RGB,
    ),
    Origin('DINO or iBOT', 'backbone.', ('head.last_layer.',), IMAGENET),
    Origin(
        'solo-learn, BarlowTwins or VICReg',
        'backbone.',
        ('projector.', 'momentum_backbone.', 'classifier.'),
        _RGB,
    ),
    Origin('PixPro', 'encoder.', ('encoder_k.',), _RGB),
    Origin(
        'solo-learn before 1.0.3, or a project of the same names',
        'encoder.',
        ('projector.', 'classifier.'),
        _RGB,
    ),
    Origin('SimSiam', 'encoder.', ('predictor.',), _RGB),
    Origin('SupContrast or PyContrast', 'encoder.', ('head.',), _RGB),
    Origin('an mm library, or mochi_mm without its key encoder', 'backbone.'),
    Origin('bare weights as torchvision and timm name them', '', ('conv1.weight',), IMAGENET),
)
