"""tools/embed.py, search.py and gallery.py as they are called."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mochi_mm.evaluation.embeddings import read_embeddings
from mochi_mm.evaluation.embeddings.embedding_file import write_embeddings
from tests.evaluation.embeddings.toy import NAMES, picture_folder, recorded_weights
from tests.toy_runner import REPOSITORY

CONFIG = """
default_scope = 'mochi_mm'
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=10, width=0.125, stem='small'))
query_dataloader = dict(dataset=dict(type='ImageFolder', pipeline=[dict(type='PackInputs')]))
"""


def main_of(tool: str) -> Any:
    return runpy.run_path(str(REPOSITORY / 'tools' / tool))['main']


@pytest.fixture(scope='module')
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images, weights, a config, and an index of the images."""
    folder = tmp_path_factory.mktemp('embed')
    picture_folder(folder / 'images')
    recorded_weights(folder / 'epoch_1.pth')
    recorded_weights(folder / 'other.pth', seed=1)
    (folder / 'config.py').write_text(CONFIG)
    words = [str(folder / 'epoch_1.pth'), str(folder / 'images'), '--out', str(folder / 'x.npz')]
    assert main_of('embed.py')([*words, '--workers', '0', '--device', 'cpu']) == len(NAMES)
    return folder


def neighbors(place: Path, name: str, own: bool) -> list[tuple[str, float]]:
    """All images by cosine to one of them, in float64."""
    found = read_embeddings(place / 'x.npz')
    rows = found.features.astype(np.float64)
    rows /= np.sqrt((rows**2).sum(1, keepdims=True))
    pairs = [
        (path, float(sum(rows[i] * rows[found.paths.index(name)])))
        for i, path in enumerate(found.paths)
        if own or path != name
    ]
    return sorted(pairs, key=lambda pair: -pair[1])


def same(found: list[tuple[str, float]], wanted: list[tuple[str, float]]) -> None:
    assert [path for path, _ in found] == [path for path, _ in wanted]
    assert [v for _, v in found] == pytest.approx([v for _, v in wanted], abs=1e-6)


def test_a_config_with_weights_gives_the_same_features(place: Path, tmp_path: Path) -> None:
    """Pictures of 12 pixels as they are, and resized to 32 as the file alone is embedded."""
    out, resized = tmp_path / 'deep/y.npz', tmp_path / 'z.npz'
    words = [str(place / 'config.py'), str(place / 'images'), '--workers', '0', '--device', 'cpu']
    words += ['--checkpoint', str(place / 'epoch_1.pth')]
    main_of('embed.py')([*words, '--out', str(resized), '--size', '32'])
    assert resized.read_bytes() == (place / 'x.npz').read_bytes()
    main_of('embed.py')([*words, '--out', str(out), '--batch-size', '5'])
    assert not np.allclose(
        read_embeddings(out).features, read_embeddings(resized).features, atol=1e-3
    )


def test_search(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    search, index = main_of('search.py'), str(place / 'x.npz')
    found = search([index, 'a/1.jpg', '--k', '4'])
    same(found, neighbors(place, 'a/1.jpg', own=False)[:4])
    path, cosine = found[0]
    assert f'{cosine:.4f}  {path}\n' in capsys.readouterr().out
    image, page = str(place / 'images/a/1.jpg'), tmp_path / 'page.html'
    model = ['--model', str(place / 'epoch_1.pth'), '--device', 'cpu']
    drawn = ['--images', str(place / 'images'), '--out', str(page)]
    found = search([index, image, *model, '--k', '3', *drawn])
    same(found, neighbors(place, 'a/1.jpg', own=True)[:3])
    text = page.read_text()
    assert text.count('data:image/jpeg;base64,') == 4 and found[1][0] in text
    with pytest.raises(ValueError, match='made by other weights'):
        search([index, image, '--model', str(place / 'other.pth')])
    with pytest.raises(ValueError, match='another pipeline'):
        search([index, image, *model, '--size', '16'])
    with pytest.raises(FileNotFoundError, match=r'nearest: a/1\.jpg.*any image with --model'):
        search([index, 'a/1.jpeg'])
    with pytest.raises(ValueError, match='11 neighbors among 10 images'):
        search([index, 'a/1.jpg', '--k', '11'])
    capsys.readouterr()
    for words, said in (
        (['--out', 'x.png'], '--out and --images go together'),
        (['--out', 'x.png', '--images', 'x'], 'ends with .html'),
        (['--size', '3'], '--size belongs to --model'),
        (['--size', '0'], '--size belongs to --model'),
    ):
        with pytest.raises(SystemExit):
            search([index, 'a/1.jpg', *words])
        assert said in capsys.readouterr().err


def test_a_path_of_two_lines_is_printed_as_one(tmp_path: Path, capsys: Any) -> None:
    index = tmp_path / 'x.npz'
    paths, features = ['a', 'b\n1.0000  c'], np.ones((2, 3), np.float32)
    write_embeddings(index, [(paths, features)], 2, 3, 11, {})
    main_of('search.py')([str(index), 'a', '--k', '1'])
    assert capsys.readouterr().out == "1.0000  'b\\n1.0000  c'\n"


def test_gallery(place: Path, tmp_path: Path) -> None:
    page = tmp_path / 'gallery.html'
    words = [str(place / 'x.npz'), str(place / 'images'), '--out', str(page)]
    assert main_of('gallery.py')([*words, '--rows', '3', '--k', '2']) == 3
    text = page.read_text()
    names = re.findall(r'<figcaption>(?:<b>([\d.-]+)</b> )?(.*?)</figcaption>', text)
    paths = read_embeddings(place / 'x.npz').paths
    for row, number in enumerate((0, 5, 10)):
        (_, query), *others = names[3 * row : 3 * row + 3]
        assert query == paths[number]
        wanted = neighbors(place, query, own=False)[:2]
        assert [(path, f'{v:.4f}') for path, v in wanted] == [(path, v) for v, path in others]
    assert not re.search(r'(src|href)="(?!data:)', text) and '://' not in text


def test_an_index_names_no_file_outside(place: Path, tmp_path: Path) -> None:
    (tmp_path / 'images').mkdir()
    features = np.eye(3, dtype=np.float32)
    names = ['../secret.png', '/etc/x.png', '<b>.png']
    index = tmp_path / 'x.npz'
    write_embeddings(index, [(names, features)], 3, 3, 20, dict(skipped=[]))
    words = [str(index), str(tmp_path / 'images'), '--out', str(tmp_path / 'page.html'), '--k', '1']
    with pytest.raises(ValueError, match=r"names '\.\./secret\.png'; expected a path below"):
        main_of('gallery.py')(words)
    assert not (tmp_path / 'page.html').exists()


def test_words_that_do_not_go_together(place: Path, tmp_path: Path, capsys: Any) -> None:
    embed, out = main_of('embed.py'), str(tmp_path / 'x.npz')
    config, weights, images = (str(place / n) for n in ('config.py', 'epoch_1.pth', 'images'))
    with pytest.raises(ValueError, match='says nothing of weights; expected --checkpoint'):
        embed([config, images, '--out', out])
    with pytest.raises(ValueError, match='--checkpoint goes with a config'):
        embed([weights, images, '--out', out, '--checkpoint', weights])
    with pytest.raises(KeyError, match='no config is called'):
        embed(['no_such_name', images, '--out', out, '--untrained'])
    with pytest.raises(ValueError, match="ends with '.csv'"):
        embed([weights, images, '--out', str(tmp_path / 'x.csv')])
    with pytest.raises(FileNotFoundError, match='no folder'):
        embed([weights, str(tmp_path / 'none'), '--out', out])
    with pytest.raises(SystemExit):
        embed([config, images, '--out', out, '--untrained', '--checkpoint', weights])
    assert 'exclude each other' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
