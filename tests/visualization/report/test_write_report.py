"""The page: what is on it, and that it stands alone; a browser opens it in test_in_browser.py."""

from __future__ import annotations

import hashlib
import json
import os
import re
from base64 import b64encode
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mochi_mm.evaluation.analysis import read_analysis, write_analysis
from mochi_mm.runs.start_facts import write_start as write_facts
from mochi_mm.visualization.report import read_runs, write_report
from mochi_mm.visualization.report.bars import bars_of
from mochi_mm.visualization.report.render import breakable
from mochi_mm.visualization.report.sections import analysis_charts, training_charts
from mochi_mm.visualization.report.tables import summary
from tests.visualization.report.toy import step, write_run, write_start

PNG = b'\x89PNG\r\n\x1a\n' + bytes(24)
# A row of a table with a column for each of two runs.
ROW = r'<tr( class="differs")?><th>(.+?)</th>' + r'<td data-run="\d">(.*?)</td>' * 2


@pytest.fixture
def two_runs(tmp_path: Path) -> list[Path]:
    return [
        write_run(tmp_path / 'first', 0),
        write_run(tmp_path / 'a <b>second</b> & more', 1, num_hard=16, engine='0.10.13'),
    ]


def rows_of(page: str) -> list[tuple[str, ...]]:
    """Whether a row differs, its name and its two values, for each row of such tables."""
    return re.findall(ROW, page.replace('<wbr>', ''))


def data_of(page: str) -> dict[str, Any]:
    """What the program of the page draws."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    return dict(json.loads(text))


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
    rows = rows_of(page)
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
    rows = rows_of(page)
    assert ('', 'alpha', '2.0', '2.0') in rows
    assert (' class="differs"', 'num_queries', '64', '32') in rows
    foreign = ('-', 'elsewhere/first/epoch_1.pth')
    assert (' class="differs"', 'checkpoint of another run', *foreign) in rows


def test_the_page_stands_alone(two_runs: list[Path], tmp_path: Path) -> None:
    """It asks for nothing, and a browser may run the programs in it alone."""
    page = write_report(two_runs, tmp_path / 'report.html').read_text()
    sources = re.findall(r'\b(?:src|href)="([^"]*)"', page)
    assert sources and all(source.startswith(('data:', '#')) for source in sources)
    assert '@import' not in page and 'url(' not in re.sub(r'<script>.*?</script>', '', page)
    assert 'sourceMappingURL' not in page
    programs = re.findall(r'<script>(.*?)</script>', page, re.S)
    assert len(programs) == 2 and 'Chart.js v' in programs[0][:40]
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    digests = [b64encode(hashlib.sha256(p.encode()).digest()).decode() for p in programs]
    allowed = ' '.join(f"'sha256-{digest}'" for digest in digests)
    assert f"default-src 'none'; script-src {allowed};" in policy


def test_what_is_drawn(two_runs: list[Path], tmp_path: Path) -> None:
    """The lines are what was logged, in percent where they are shares."""
    data = data_of(write_report(two_runs, tmp_path / 'report.html').read_text())
    runs = read_runs(two_runs)
    assert [run['name'] for run in data['runs']] == [run.name for run in runs]
    loss, accuracy = data['charts'][0], data['charts'][1]
    assert [line['run'] for line in loss['lines']] == [0, 1] and loss['time']
    for number, run in enumerate(runs):
        x, y = run.log.curve('loss', True)
        np.testing.assert_allclose(loss['lines'][number]['x'], x, rtol=1e-5)
        np.testing.assert_allclose(loss['lines'][number]['y'], y, rtol=1e-5)
    share = runs[0].log.curve('acc_contrast', True)[1]
    np.testing.assert_allclose(accuracy['lines'][0]['y'], 100 * np.array(share), rtol=1e-5)
    assert accuracy['unit'] == '%' and accuracy['lines'][1]['dash'] != accuracy['lines'][0]['dash']


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
        assert re.search(rf'<li data-run="0">run: .*{words}', page), words
    assert 'epoch_2.json: stale' not in page


def test_what_is_no_analysis_is_left_out_with_a_word(two_runs: list[Path], tmp_path: Path) -> None:
    (two_runs[0] / 'analysis/knn.json').write_text('{"protocol": "weighted kNN"}')
    page = write_report(two_runs, tmp_path / 'report.html').read_text()
    assert '<li data-run="0">first: analysis/knn.json: it is no analysis</li>' in page
    assert '<h3>Uniformity</h3>' in page


def test_names_are_told_apart(tmp_path: Path) -> None:
    folders = [write_run(tmp_path / seed / 'run') for seed in ('seed_0', 'seed_1')]
    assert [run.name for run in read_runs(folders)] == ['seed_0/run', 'seed_1/run']


ODD_NAMES = (
    'lr_$0.1', '$\\alpha$ and $', '_hidden', 'caf\u00e9 \u8bad\u7ec3', 'a\nb', 'a\tb\x1b[31m',
    os.fsdecode(b'bytes \xff\xfe'), "<script>'&\"", 'a{{ b }} {% c %}', 'x' * 200, ' ',
)  # fmt: skip


def test_any_name_of_a_folder(tmp_path: Path) -> None:
    """In titles, captions, notes and in what the program reads; the page is UTF-8."""
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
    assert page.count('<canvas ') == len(ODD_NAMES) + 3
    names = [run['name'] for run in data_of(page)['runs']]
    assert '<script>\'&"' in names and 'lr_$0.1' in names and 'x' * 200 in names
    assert page.count('<script>') == 2 and '\x1b' not in page
    assert '<li data-run="0">lr_$0.1: analysis/\\udcfe$x.json: it is no analysis</li>' in page
    assert 'bytes \\udcff\\udcfe' in page


@pytest.mark.parametrize('left', ['nothing', 'config', 'half a config', 'empty scalars'])
def test_a_crashed_run_is_shown_beside_the_others(
    two_runs: list[Path], tmp_path: Path, left: str
) -> None:
    start = tmp_path / 'broken/20260103_000000'
    (start / 'vis_data').mkdir(parents=True)
    (start / f'{start.name}.log').write_text('begun\n\ndied <of> it\n')
    text = {'config': 'lr = 7.5\n', 'half a config': 'model = dict('}.get(left)
    if text:
        (start / 'vis_data/config.py').write_text(text)
    if left == 'empty scalars':
        (start / 'vis_data/scalars.json').touch()
    page = write_report([*two_runs, start.parent], tmp_path / 'report.html').read_text()
    (cells,) = re.findall(r'<tr data-run="2" class="sad"><th>.*</span>broken</th>(.*)</tr>', page)
    assert cells.startswith('<td class="number">crashed</td><td class="number">-</td>')
    assert '<pre>begun\ndied &lt;of&gt; it</pre>' in page
    assert '<li data-run="2">broken: it ended before it logged a single value' in page
    assert '<h3>Loss</h3>' in page and 'epochs' in page
    assert ('>7.5<' in page) == (left == 'config')
    assert '<tr><th>Python</th>' in page  # a run that wrote down nothing is no difference
    alone = write_report([start.parent], tmp_path / 'alone.html').read_text()
    assert 'crashed' in alone and '<h3>Loss</h3>' not in alone


def test_whether_a_run_came_to_its_end(two_runs: list[Path]) -> None:
    write_facts(two_runs[0] / '20260102_030405', dict(version='1'), finished=True)
    assert [run.ending.state for run in read_runs(two_runs)] == ['finished', '-']
    write_facts(two_runs[0] / '20260102_030405', dict(version='1'))
    assert [run.ending.state for run in read_runs(two_runs)] == ['not finished', '-']


def test_single_analyses_are_bars(two_runs: list[Path], tmp_path: Path) -> None:
    """Of two runs with an analysis each, both at epoch 3: a bar for each run and layer."""
    for folder in two_runs:
        for file in (folder / 'analysis').glob('epoch_1.*'):
            file.unlink()
    runs = read_runs(two_runs)
    charts = {chart.title: chart for chart in analysis_charts(runs, by_epoch=True)}
    assert charts['Uniformity'].note.endswith('One value a run, after 3 epochs.')
    assert not charts['Uniformity'].drawn()
    found = dict(bars_of(charts['Uniformity']))
    values = [run.analyses[0][0]['scalars']['uniformity/backbone'] for run in runs]
    assert [bar.text for bar in found['backbone']] == [f'{value:.4g} nats' for value in values]
    share = dict(bars_of(charts['False negatives']))['among the hardest'][0]
    hardest = runs[0].analyses[0][0]['scalars']['false_negatives/hardest']
    assert share.text == f'{100 * hardest:.4g} %'
    curves = {chart.title: chart for chart in training_charts(runs, by_epoch=True)}
    assert 'One value' not in curves['Loss'].note and bars_of(curves['Loss']) == []
    page = write_report(two_runs, tmp_path / 'report.html').read_text()
    part = page[page.index('<h3>Uniformity</h3>') :]
    part = part[: part.index('</figure>')]
    assert '<canvas' not in part and part.count('class="bar"') == 4


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
    style = re.findall(r'<style>.*?</style>', page, re.S)[0]
    assert not re.search(r'^(?:th|h3|summary)\b[^{]*\{[^}]*anywhere', style, re.M)


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
