"""One page on what was loaded into a detector."""

from __future__ import annotations

from dataclasses import dataclass

from mochi_mm.files.shown import shown_path


@dataclass(frozen=True)
class LoadReport:
    """Fate of every weight of a file and of a detector.

    Attributes:
        path: The file.
        origin: Origin of the file.
        matched: Number of tensors that went to each part of the detector.
        new: Number of tensors of each part of the detector that the file cannot have.
        counters: Batch counters that the file lacks and that start at zero.
        unused: Number of tensors of each part of the file that were not wanted.
        lines: Further facts as (title, text): architecture, style, channel order, mean and std.
    """

    path: str
    origin: str
    matched: dict[str, int]
    new: dict[str, int]
    counters: int
    unused: dict[str, int]
    lines: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """Return the page."""
        rows = [('written by', self.origin)]
        rows += [('matched', f'{part}: {n} of {n} tensors') for part, n in self.matched.items()]
        rows.append(('missing', 'none'))
        if self.counters:
            rows.append(
                ('', f'({self.counters} batch counters that older files lack start at zero)')
            )
        rows.append(('new in the detector', _listed(self.new)))
        rows.append(('not used', _listed(self.unused)))
        rows += self.lines
        body = '\n'.join(f'  {title:<20}{text}' for title, text in rows)
        return f'weights from {self.path}\n{body}'


def _listed(counts: dict[str, int], most: int = 12) -> str:
    parts = [f'{shown_path(name)[:80]} ({n})' for name, n in counts.items()]
    more = [f'and {len(parts) - most} more'] if len(parts) > most else []
    return ', '.join([*parts[:most], *more]) or 'none'
