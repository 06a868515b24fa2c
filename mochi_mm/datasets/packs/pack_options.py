"""How the images of a pack are stored."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mochi_mm.utils.checks import check_choice, check_integer

#: JPEG, pixels, the files as they are, and the files of tars that others wrote.
KINDS = ('jpeg', 'raw', 'as they are', 'tar')
CHROMA = ('4:4:4', '4:2:2', '4:2:0')
_DEFAULTS: dict[str, dict[str, Any]] = dict(
    jpeg=dict(short_side=320, quality=90, chroma='4:2:0'), raw=dict(short_side=320)
)
_SIDES, _LARGEST = 16, 16_384


@dataclass(frozen=True)
class PackOptions:
    """Say how images are stored; what a kind does not use is None.

    Attributes:
        kind: 'jpeg' (encoded anew), 'raw' (8-bit RGB pixels), 'as they are' (the bytes of the
            files), 'tar' (likewise, in tars).
        short_side: Pixels of the shorter side; smaller images are not enlarged. 0 keeps all sizes.
        quality: Of JPEG, 1 to 100.
        chroma: How JPEG stores colors: '4:4:4' at every pixel, '4:2:2', '4:2:0' at every fourth.

    Raises:
        ValueError: A value out of range, or one that the kind does not use.

    >>> PackOptions.of('jpeg', quality=95)
    PackOptions(kind='jpeg', short_side=320, quality=95, chroma='4:2:0')
    """

    kind: str
    short_side: int | None = None
    quality: int | None = None
    chroma: str | None = None

    @classmethod
    def of(
        cls,
        kind: str,
        short_side: int | None = None,
        quality: int | None = None,
        chroma: str | None = None,
    ) -> PackOptions:
        """Return options in which None is the default of the kind."""
        used: dict[str, Any] = _DEFAULTS.get(check_choice('kind', kind, KINDS), {})
        given = dict(short_side=short_side, quality=quality, chroma=chroma)
        unused = [name for name, value in given.items() if value is not None and name not in used]
        if unused:
            raise ValueError(
                f'{unused[0]} is {given[unused[0]]!r}, which images of the kind {kind!r} do not '
                f'have; they have {", ".join(used) or "no options"}. Leave it out, or take another '
                'kind.'
            )
        chosen: Any = {
            name: value if given[name] is None else given[name] for name, value in used.items()
        }
        return cls(kind, **chosen)

    def __post_init__(self) -> None:
        check_choice('kind', self.kind, KINDS)
        if self.short_side is not None:
            side = check_integer('short_side', self.short_side, 320, 0)
            if side and not _SIDES <= side <= _LARGEST:
                raise ValueError(
                    f'short_side is {side}; expected {_SIDES} to {_LARGEST} pixels, or 0 to keep '
                    'all sizes.'
                )
        if self.quality is not None and check_integer('quality', self.quality, 90) > 100:
            raise ValueError(f'quality is {self.quality}; expected 1 to 100, such as 90.')
        if self.chroma is not None:
            check_choice('chroma', self.chroma, CHROMA)

    def to_json(self) -> dict[str, Any]:
        """Return them as plain data."""
        return asdict(self)
