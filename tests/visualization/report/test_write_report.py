"""The page: what is on it, that it stands alone, and that a browser shows all of it."""

from __future__ import annotations

import base64
import html
import json
import math
import os
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from mochi_mm.evaluation.analysis import read_analysis, write_analysis
from mochi_mm.runs.start_facts import write_start as write_facts
from mochi_mm.visualization.report import read_runs, write_report
from mochi_mm.visualization.report.bars import are_single, bar_chart, places
from mochi_mm.visualization.report.charts import Series, line_chart
from mochi_mm.visualization.report.sections import analysis_charts, summary, training_charts
from mochi_mm.visualization.report.write_report import breakable
from tests.visualization.report.toy import step, write_run, write_start

PNG = b'\x89PNG\r\n\x1a\n' + bytes(24)
BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
# Written into the DOM once everything is there.
SCRIPT = """<script>
addEventListener('load', () => {
  const images = [...document.images];
  const parts = [...document.querySelectorAll('figure, table, h2')];
  const boxes = parts.map(e => e.getBoundingClientRect());
  const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  document.body.dataset.found = JSON.stringify({
    images: images.length,
    broken: images.filter(i => !i.complete || i.naturalWidth === 0).length,
    small: images.filter(i => i.getBoundingClientRect().width < 300).length,
    width: document.documentElement.scrollWidth,
    overlaps: boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b => overlap(a, b))).length,
    requests: performance.getEntriesByType('resource').filter(
      e => !e.name.startsWith('data:')).length,
    errors: window.errors,
  });
});
</script>"""
WATCH = (
    '<script>window.errors = []; addEventListener("error", e => errors.push(e.message))</script>'
)


@pytest.fixture
def two_runs(tmp_path: Path) -> list[Path]:
    return [
        write_run(tmp_path / 'first', 0),
        write_run(tmp_path / 'a <b>second</b> & more', 1, num_hard=16, engine='0.10.13'),
    ]


def test_what_is_on_the_page(two_runs: list[Path], tmp_path: Path) -> None:
    page = write_report(two_runs, tmp_path / 'new/report.html').read_text()
    for title in (
        'Loss', 'Contrastive accuracy', 'kNN accuracy', 'Similarity of positives', 'Learning rate',
        'Alignment of classes', 'Uniformity', 'Effective rank', 'False negatives',
        'Alignment and uniformity, neck', 'Latest analysis of each run', 'Spectrum, backbone',
    ):  # fmt: skip
        assert f'<h3>{title}</h3>' in page, title
    assert 'Probe accuracy' not in page  # nobody measured it
    # Names are text, not markup.
    assert '<b>second' not in page and 'a &lt;b&gt;second&lt;/b&gt; &amp; more' in page
    rows = re.findall(
        r'<tr( class="differs")?><th>([\w. ]+)</th><td>(.*?)</td><td>(.*?)</td>', page
    )
    assert ('', 'model.head.num_hard', '8', '16') in rows
    assert (' class="differs"', 'MMEngine', '0.10.12', '0.10.13') in rows
    assert ('', 'Python', '3.11.7', '3.11.7') in rows
    assert not any('work_dir' in name or 'temperature' in name for _, name, _, _ in rows)
    heads = re.findall(r'<th>([^<]+)</th>', page.split('<tbody>')[0])
    cells = re.findall(r'<td class="number">(.*?)</td>', page)
    assert cells[heads.index('kNN top-1 (%)') - 1] == '32'
    assert cells[heads.index('epochs') - 1] == '3'
    # One gallery a run: the newest.
    assert page.count('first, epoch_3') >= 1 and 'first, epoch_1' not in page


def test_how_the_analyses_were_made_stands_there(two_runs: list[Path], tmp_path: Path) -> None:
    for folder, queries in zip(two_runs, (64, 32), strict=True):
        for path in (folder / 'analysis').glob('*.json'):
            record = json.loads(path.read_text())
            record['settings'] = dict(alpha=2.0, num_queries=queries)
            record['checkpoint'] = 'elsewhere/first/epoch_1.pth'
            path.write_text(json.dumps(record))
    page = write_report(two_runs, tmp_path / 'report.html').read_text()
    rows = re.findall(
        r'<tr( class="differs")?><th>([\w. ]+)</th><td>(.*?)</td><td>(.*?)</td>', page
    )
    assert ('', 'alpha', '2.0', '2.0') in rows
    assert (' class="differs"', 'num_queries', '64', '32') in rows
    foreign = ('-', 'elsewhere/first/epoch_1.pth')
    assert (' class="differs"', 'checkpoint of another run', *foreign) in rows


def test_the_page_stands_alone(two_runs: list[Path], tmp_path: Path) -> None:
    page = write_report(two_runs, tmp_path / 'report.html').read_text()
    sources = re.findall(r'\b(?:src|href)="([^"]*)"', page)
    assert sources and all(source.startswith('data:') for source in sources)
    assert 'http' not in re.sub(r'base64,[^"]*', '', page)
    assert '@import' not in page and 'url(' not in page


def browser() -> str:
    found = os.environ.get('CHROME') or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f'no browser: none of {", ".join(BROWSERS)} on the path, CHROME is not set')
    return found


def open_in_browser(page: Path, folder: Path) -> tuple[dict[str, Any], str]:
    """Return what the script in the page found, and what the browser complained about."""
    command = [
        browser(), '--headless', '--no-sandbox', '--disable-gpu', '--window-size=1200,900',
        '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND',
        '--enable-logging=stderr', '--virtual-time-budget=10000',
        f'--user-data-dir={folder / "profile"}', '--dump-dom', page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = re.search(r'data-found="([^"]*)"', done.stdout)
    assert found, done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if 'CONSOLE' in line]
    return json.loads(html.unescape(found[1])), '\n'.join(console)


def test_a_browser_shows_it(two_runs: list[Path], tmp_path: Path) -> None:
    text = write_report(two_runs, tmp_path / 'report.html').read_text()
    watched = tmp_path / 'watched.html'
    watched.write_text(
        text.replace('<head>', '<head>' + WATCH).replace('</body>', SCRIPT + '</body>')
    )
    found, console = open_in_browser(watched, tmp_path)
    assert found.pop('images') == text.count('<img ') > 15
    assert found.pop('width') <= 1200
    assert found == dict(broken=0, small=0, overlaps=0, requests=0, errors=[])
    assert console == ''


def test_the_browser_test_bites(tmp_path: Path) -> None:
    page = tmp_path / 'bad.html'
    page.write_text(
        f'<html><head>{WATCH}</head><body><img src="data:image/png;base64,AAAA" width=400>'
        f'<img src="http://nowhere.invalid/x.png" width=400><script>missing()</script>{SCRIPT}'
        '</body></html>'
    )
    found, console = open_in_browser(page, tmp_path)
    assert found['broken'] == 2 and found['requests'] == 1
    assert 'missing is not defined' in found['errors'][0] and 'missing is not defined' in console


def test_one_bare_run(tmp_path: Path) -> None:
    """Only a loss, by iterations: nothing else is needed."""
    line = {key: value for key, value in step(1, 3.0).items() if key != 'epoch'}
    write_start(tmp_path / 'bare', '20260101_000000', [line, dict(line, step=2, iter=2)])
    page = write_report([tmp_path / 'bare'], tmp_path / 'report.html').read_text()
    assert '<h3>Loss</h3>' in page and 'Uniformity' not in page and 'do not differ' not in page


def test_stale_analyses_are_left_out_with_a_word(tmp_path: Path) -> None:
    """Of a run that another one replaced; by what they say, or by the age of their files."""
    folder = write_run(tmp_path / 'run')
    write_start(folder, '20260105_000000', [step(1, 3.0)])
    config = folder / '20260105_000000/vis_data/config.py'
    config.write_text(config.read_text() + 'resume = False\n')
    record, arrays = read_analysis(folder / 'analysis/epoch_1.json')
    record.pop('format')
    first = dict(record, saved='20260102_040000')
    write_analysis(folder / 'analysis', 'epoch_1', first, arrays, dict(neighbors=PNG))
    second = dict(record, epoch=2, saved='20260105_000010')
    write_analysis(folder / 'analysis', 'epoch_2', second, arrays, dict(negatives=PNG))
    os.utime(folder / 'analysis/epoch_3.json', (0, datetime(2026, 1, 3).timestamp()))
    (run,) = read_runs([folder])
    assert [record['epoch'] for record, _ in run.analyses] == [2] and run.starts == 1
    assert [(kind, name) for kind, name, _ in run.pictures] == [('negatives', 'epoch_2')]
    page = write_report([folder], tmp_path / 'report.html').read_text()
    for words in ('1 start of an earlier run', 'epoch_1.json: stale', 'epoch_3.json: stale'):
        assert re.search(rf'<li>run: .*{words}', page), words
    assert 'epoch_2.json: stale' not in page


def test_what_is_no_analysis_is_left_out_with_a_word(two_runs: list[Path], tmp_path: Path) -> None:
    (two_runs[0] / 'analysis/knn.json').write_text('{"protocol": "weighted kNN"}')
    page = write_report(two_runs, tmp_path / 'report.html').read_text()
    assert '<li>first: analysis/knn.json: it is no analysis</li>' in page
    assert '<h3>Uniformity</h3>' in page


def test_names_are_told_apart(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / seed / 'run') for seed in ('seed_0', 'seed_1')]
    assert [run.name for run in read_runs(folders)] == ['seed_0/run', 'seed_1/run']


ODD_NAMES = (
    'lr_$0.1', '$\\alpha$ and $', '_hidden', 'caf\u00e9 \u8bad\u7ec3', 'a\nb', 'a\tb\x1b[31m',
    os.fsdecode(b'bytes \xff\xfe'), "<script>'&\"", 'a{{ b }} {% c %}', 'x' * 200, ' ',
)  # fmt: skip


@pytest.mark.filterwarnings('ignore:Glyph')
def test_any_name_of_a_folder(tmp_path: Path) -> None:
    """In legends, titles, captions and notes; the page is UTF-8, and its pictures are XML."""
    for number, name in enumerate(ODD_NAMES):
        write_start(tmp_path / name, '20260102_030405', [step(n, n + number) for n in (1, 5)])
        write_analysis(
            tmp_path / name / 'analysis', 'epoch_2',
            dict(epoch=2, iter=8, scalars={}), dict(probabilities=np.ones(3)),
        )  # fmt: skip
    odd = tmp_path / ODD_NAMES[0] / 'analysis'
    (odd / os.fsdecode(b'\xfe$x.json')).write_text('{}')
    (odd / os.fsdecode(b'epoch_2_\xfe$.png')).write_bytes(PNG)
    out = tmp_path / 'report.html'
    page = write_report([tmp_path / name for name in ODD_NAMES], out).read_text(encoding='utf-8')
    pictures = [base64.b64decode(found) for found in re.findall(r'svg\+xml;base64,([^"]*)', page)]
    assert len(pictures) == len(ODD_NAMES) + 3
    for picture in pictures:
        ElementTree.fromstring(picture)
    assert '<script>' not in page and '\x1b' not in page and 'bytes \\udcff\\udcfe' in page
    assert '<li>lr_$0.1: analysis/\\udcfe$x.json: it is no analysis</li>' in page


def test_names_in_a_legend_are_spelled_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    drawn: list[list[str]] = []
    save = Figure.savefig

    def watched(figure: Any, *given: Any, **more: Any) -> None:
        save(figure, *given, **more)
        drawn.append([text.get_text() for text in figure.legends[0].get_texts()])
        assert not any(text.get_parse_math() for text in figure.legends[0].get_texts())

    monkeypatch.setattr(Figure, 'savefig', watched)
    names = ['_hidden', 'lr $0.1$', r'$\frac$']
    series = [Series(number, [1, 2], [1, 2]) for number in range(3)]
    for uri in (line_chart(series, names, 'x', 'y'), bar_chart(series, names, 'y')):
        assert uri.startswith('data:image/svg+xml')
    assert drawn == [names, names]


@pytest.mark.parametrize('left', ['nothing', 'config', 'half a config', 'empty scalars'])
def test_a_crashed_run_is_shown_beside_the_others(
    two_runs: list[Path], tmp_path: Path, left: str
) -> None:
    start = tmp_path / 'broken/20260103_000000'
    (start / 'vis_data').mkdir(parents=True)
    (start / f'{start.name}.log').write_text('text\n')
    text = {'config': 'lr = 7.5\n', 'half a config': 'model = dict('}.get(left)
    if text:
        (start / 'vis_data/config.py').write_text(text)
    if left == 'empty scalars':
        (start / 'vis_data/scalars.json').touch()
    page = write_report([*two_runs, start.parent], tmp_path / 'report.html').read_text()
    (cells,) = re.findall(r'</span>broken</th>(.*)</tr>', page)
    assert cells.startswith('<td class="number">crashed</td><td class="number">-</td>')
    assert '<li>broken: it ended before it logged a single value' in page
    assert '<h3>Loss</h3>' in page and 'epochs' in page
    assert ('7.5' in page) == (left == 'config')
    alone = write_report([start.parent], tmp_path / 'alone.html').read_text()
    assert 'crashed' in alone and '<h3>Loss</h3>' not in alone


def test_whether_a_run_came_to_its_end(two_runs: list[Path]) -> None:
    write_facts(two_runs[0] / '20260102_030405', dict(version='1'), finished=True)
    assert [run.state for run in read_runs(two_runs)] == ['finished', '-']
    write_facts(two_runs[0] / '20260102_030405', dict(version='1'))
    assert [run.state for run in read_runs(two_runs)] == ['not finished', '-']


def test_single_analyses_are_bars(two_runs: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two runs with an analysis each, both at epoch 3: a bar for each run and layer."""
    for folder in two_runs:
        for file in (folder / 'analysis').glob('epoch_1.*'):
            file.unlink()
    from matplotlib.axes import Axes

    heights: list[float] = []
    draw = Axes.bar
    monkeypatch.setattr(
        Axes, 'bar', lambda axis, x, y, *a, **k: heights.extend(y) or draw(axis, x, y, *a, **k)
    )
    runs = read_runs(two_runs)
    charts = {chart.title: chart for chart in analysis_charts(runs, by_epoch=True)}
    assert charts['Uniformity'].note.endswith('One value a run, after 3 epochs.')
    for run in runs:
        for key in ('uniformity/backbone', 'rank/neck'):
            assert run.analyses[0][0]['scalars'][key] in heights
        share = run.analyses[0][0]['scalars']['false_negatives/hardest']
        assert 100 * share in heights  # percent
    assert not any(math.isnan(height) for height in heights)
    curves = {chart.title: chart for chart in training_charts(runs, by_epoch=True)}
    assert 'One value' not in curves['Loss'].note


def test_single_analyses_of_different_times() -> None:
    series = [Series(0, [3.0], [1.0]), Series(1, [5.0], [1.0])]
    assert are_single(series) and not are_single([*series, Series(2, [1, 2], [1, 2])])
    assert places(series, ['a', 'b'], 'epochs').endswith('(epochs): a 3, b 5.')


def test_percent_everywhere(two_runs: list[Path], tmp_path: Path) -> None:
    runs = read_runs(two_runs)
    page = write_report(two_runs, tmp_path / 'report.html').read_text()
    heads, rows = summary(runs)
    assert not any('share' in head for head in heads) and '(share)' not in page
    share = runs[0].analyses[-1][0]['scalars']['false_negatives/hardest']
    cell = rows[0][heads.index('false among the hardest (%)')]
    assert float(cell) == pytest.approx(100 * share, rel=1e-3)


def test_names_break_between_words_alone(tmp_path: Path) -> None:
    """Behind what separates words; nothing in a style sheet lets a word of a head break."""
    assert breakable('mochi_r50/seed_0') == 'mochi_<wbr>r50/<wbr>seed_<wbr>0'
    assert breakable('<b>--lr=0.1') == '&lt;b&gt;--<wbr>lr=<wbr>0.<wbr>1'
    folder = write_run(tmp_path / 'mochi_resnet50')
    page = write_report([folder], tmp_path / 'report.html').read_text()
    assert '</span>mochi_<wbr>resnet50</th>' in page
    assert not re.search(r'(?:th|h3|summary)[^{]*\{[^}]*anywhere', page)


def test_what_is_refused(two_runs: list[Path], tmp_path: Path) -> None:
    out = tmp_path / 'report.html'
    (tmp_path / 'empty').mkdir()
    for folders, error, message in (
        ([*two_runs, tmp_path / 'empty'], FileNotFoundError, 'no logs in .*empty'),
        ([tmp_path / 'absent'], FileNotFoundError, 'no folder .*absent'),
        ([two_runs[0], two_runs[0]], ValueError, 'was given twice'),
        ([], ValueError, 'no work dir was given'),
    ):
        with pytest.raises(error, match=message):
            write_report(folders, out)
    with pytest.raises(ValueError, match='ending in .html'):
        write_report(two_runs, tmp_path / 'report.pdf')
    (two_runs[0] / 'analysis/epoch_3.json').write_text('{')
    with pytest.raises(ValueError, match='epoch_3.json cannot be read as an analysis'):
        write_report(two_runs, out)
    assert not out.exists() and not list(tmp_path.glob('.report*'))
