"""Methods: title, paper and objective from the README, data sets from the configs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_mm.launch.listing.list_methods import OBJECTIVE, list_methods, list_objectives

ROOT = Path(__file__).resolve().parents[3]
TITLES = f'| {" | ".join(OBJECTIVE)} |\n|---|---|---|---|---|\n'
README = '# Toy\n\n> A, B: *A Toy\n> Method*, ICML 2030 (arXiv 1), on\n> C: *Older*, 2020.\n\n'


def make(root: Path, readme: str) -> Path:
    folder = root / 'configs/toy'
    folder.mkdir(parents=True)
    (folder / 'README.md').write_text(readme)
    (folder / 'toy.py').write_text('"""T."""\n')
    (root / 'configs/other').mkdir()
    (root / 'configs/other/README.md').write_text('# No method\n')
    return root


def test_what_a_method_is(tmp_path: Path) -> None:
    root = make(tmp_path, README + TITLES + '| Toy, in | `H` | c | p | d |\n\n| x | y | z |\n')
    rows = [[str(cell) for cell in row] for row in list_methods(root).rows]
    assert rows == [['Toy', '', '1 configs', 'A Toy Method, ICML 2030 (arXiv 1)']]
    rows = [[str(cell) for cell in row] for row in list_objectives(root).rows]
    assert rows == [['Toy, in', '`H`', 'c', 'p', 'd']]


def test_a_method_without_its_objective_is_named(tmp_path: Path) -> None:
    root = make(tmp_path, README)
    with pytest.raises(ValueError, match=r'toy/README\.md has no table of its objective.*pull: w'):
        list_objectives(root)


def test_those_of_the_project() -> None:
    """Every folder with a metafile is one."""
    methods = {str(row[0].path.parent) for row in list_methods(ROOT).rows}  # type: ignore[union-attr]
    assert methods == {str(path.parent) for path in (ROOT / 'configs').glob('*/metafile.yml')}
    assert all(row[1] and '(arXiv ' in str(row[3]) for row in list_methods(ROOT).rows)
