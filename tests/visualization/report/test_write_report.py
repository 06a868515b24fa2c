"""The page: what is on it, that it stands alone, and that a browser shows all of it."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.evaluation.analysis import read_analysis, write_analysis
from mochi_mm.visualization.report import read_runs, write_report
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
