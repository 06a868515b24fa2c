"""What a browser makes of the page: it draws, answers the pointer, and runs nothing of a run.

Needs a Chromium (``apt-get install chromium``, as ``.ci/run`` does, or CHROME=/path/to/chrome).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mochi_mm.runs.start_facts import write_start as write_facts
from mochi_mm.visualization.report import write_report
from tests.browser import Page, open_browser
from tests.visualization.report.toy import write_run, write_start

LONG = 'mochi-1024-512-256_resnet50_8xb32-cosine-200e_imagenet100_temperature_0.1_' + 'x' * 90
NAMES = ('mocov2', LONG, 'one_analysis', 'crashed', 'fifth', 'empty')
HOSTILE = '</script><script>window.bad = 1</script><!--<script><img src=x onerror="window.bad = 1">'
OVERLAPS = """(() => {
  const boxes = [...document.querySelectorAll('main figure, main table, main h2')]
    .map(e => e.getBoundingClientRect()).filter(b => b.width);
  const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b => overlap(a, b))).length;
})()"""
#: Elements that stand out of the window to the right, unless in a part that scrolls by itself.
OUTSIDE = """[...document.querySelectorAll('body *')].filter(e =>
  e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, pre, svg'))
  .map(e => e.outerHTML.slice(0, 80))"""
VISIBLE = """[...document.querySelectorAll('canvas')].map(canvas => Chart.getChart(canvas))
  .filter(Boolean).flatMap(chart => chart.data.datasets.map((line, number) =>
    [line.run, chart.isDatasetVisible(number)]))"""
PAINTED = """[...document.querySelectorAll('canvas')].map(canvas => {
  const { width, height } = canvas;
  const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  return new Set(new Uint32Array(data.buffer)).size;
})"""


@pytest.fixture(scope='module')
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six runs: one with a single analysis, one that died, one that left nothing."""
    folder = tmp_path_factory.mktemp('six')
    for seed, name in enumerate(NAMES[:-1]):
        write_run(folder / name, seed, num_hard=8 + seed)
    for file in (folder / 'one_analysis/analysis').glob('epoch_1*'):
        file.unlink()
    write_facts(folder / 'crashed/20260102_030405', {}, error=FloatingPointError('loss is nan'))
    write_start(folder / 'empty', '20260102_030405', [])
    return write_report([folder / name for name in NAMES], folder / 'report.html')


@pytest.fixture(scope='module')
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with open_browser(tmp_path_factory.mktemp('browser')) as page:
        yield page


def draw_all(page: Page, width: int) -> None:
    """Make the window as high as the page, so that all of it comes into view."""
    for _ in range(2):
        page.resize(width, page.run('document.documentElement.scrollHeight'))
        page.until(
            "[...document.querySelectorAll('canvas')].every("
            'c => Chart.getChart(c) || !c.getClientRects().length)'
        )
        page.wait()


def test_it_is_drawn_and_asks_for_nothing(page: Page, report: Path) -> None:
    page.open(report, width=1400)
    page.until("performance.getEntriesByType('paint').length")
    first = page.run("performance.getEntriesByType('paint')[0].startTime")
    assert first < 20_000  # milliseconds; docs/analysis.md has a measured one
    draw_all(page, 1400)
    assert (page.requests, page.complaints) == ([report.as_uri()], [])
    text = report.read_text()
    colors = page.run(PAINTED)
    assert len(colors) == text.count('<canvas ') > 15 and min(colors) > 20
    assert page.run('[...document.images].filter(i => !i.complete || !i.naturalWidth).length') == 0
    assert page.run('document.documentElement.scrollWidth') == 1400
    assert (page.run(OVERLAPS), page.run(OUTSIDE)) == (0, [])
    # The contents lead to every heading.
    heads = page.run("[...document.querySelectorAll('main h2')].map(e => e.textContent)")
    links = page.run(
        "[...document.querySelectorAll('nav a')].filter(a => document.querySelector("
        "'h2' + a.getAttribute('href'))).map(a => a.textContent)"
    )
    assert links == heads and 'Environment' in heads and 'Nearest neighbors' in heads
    assert 'Loss' in page.run("document.querySelector('nav').textContent")


def test_names_are_there_in_full(page: Page, report: Path) -> None:
    page.open(report, width=1400)
    labels = page.run("[...document.querySelectorAll('.runs label')].map(e => e.textContent)")
    for name, label in zip(NAMES, labels, strict=True):
        assert name in label
    assert labels[3].endswith('crashed') and labels[5].endswith('crashed')
    cut = "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).textOverflow"
    assert page.run(cut + " !== 'clip').length") == 0
    assert page.run("document.querySelector('.error').textContent").endswith('loss is nan')


def test_values_under_the_pointer(page: Page, report: Path) -> None:
    page.open(report, width=1400)
    page.run("document.querySelector('canvas').scrollIntoView({ behavior: 'instant' })")
    page.until("Chart.getChart(document.querySelector('canvas'))")
    x, y = page.run("""(() => {
      const chart = Chart.getChart(document.querySelector('canvas'));
      const box = chart.canvas.getBoundingClientRect();
      const point = chart.getDatasetMeta(0).data[5];
      return [box.left + point.x, box.top + point.y];
    })()""")
    page.point(x, y)
    seen = page.run("document.getElementById('tip').innerText")
    data = page.run("JSON.parse(document.getElementById('data').textContent)")
    assert page.run("!document.getElementById('tip').hidden") and 'epochs: 1.5' in seen
    for line in data['charts'][0]['lines']:
        assert f'{NAMES[line["run"]]}\t{line["y"][5]:.5g} nats' in seen
    page.point(5, 5)
    assert page.run("document.getElementById('tip').hidden")


def test_runs_are_switched_on_and_off(page: Page, report: Path) -> None:
    page.open(report, width=1400)
    page.run("document.querySelectorAll('.runs input')[1].click()")
    draw_all(page, 1400)  # charts that are drawn before and after
    found = page.run(VISIBLE)
    assert {run for run, visible in found if visible} == {0, 2, 3, 4}
    assert {run for run, visible in found if not visible} == {1}
    parts = "[...new Set([...document.querySelectorAll('main [data-run]')].filter(e => %s)"
    parts += '.map(e => Number(e.dataset.run)))].sort()'
    assert page.run(parts % 'e.getClientRects().length') == [0, 2, 3, 4, 5]
    page.run('document.querySelector(\'[data-all=""]\').click()')
    assert not any(visible for _, visible in page.run(VISIBLE))
    assert page.run(parts % 'e.getClientRects().length') == []
    page.run("document.querySelector('[data-all=yes]').click()")
    assert all(visible for _, visible in page.run(VISIBLE))
    assert page.complaints == []


def test_on_a_phone(page: Page, report: Path) -> None:
    """At 400 pixels nothing stands out, with the list of runs open as well."""
    page.open(report, width=400)
    draw_all(page, 400)
    assert page.run("document.querySelector('.side').open") is False
    for _ in range(2):
        assert page.run('document.documentElement.scrollWidth') == 400
        assert (page.run(OVERLAPS), page.run(OUTSIDE)) == (0, [])
        page.run("document.querySelector('.side summary').click()")
        page.wait()
    page.run("document.querySelector('.side').open = true")
    page.run("document.querySelector('nav a').click()")
    assert page.run("document.querySelector('.side').open") is False


def luminance(color: str) -> float:
    """As WCAG 2 defines it, of ``rgb(r, g, b)``."""
    parts = [int(part) / 255 for part in color[4:-1].split(',')]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def looks(page: Page) -> dict[str, Any]:
    return dict(
        page.run("""({
          ground: getComputedStyle(document.body).backgroundColor,
          ink: getComputedStyle(document.body).color,
          marks: [...document.querySelectorAll('.runs .mark')].map(e => getComputedStyle(e).color),
          line: Chart.getChart(document.querySelector('canvas')).data.datasets[0].borderColor,
        })""")
    )


def test_light_and_dark(page: Page, report: Path) -> None:
    """By the system and by the switch; everything stands out from its ground."""
    seen = []
    for dark in (False, True):
        page.open(report, width=1400, height=3000, dark=dark)
        page.until("Chart.getChart(document.querySelector('canvas'))")
        seen.append(looks(page))
    for look in seen:
        assert contrast(look['ink'], look['ground']) > 7
        assert min(contrast(mark, look['ground']) for mark in look['marks']) >= 3
    light, dark_look = seen
    assert luminance(light['ground']) > 0.9 and luminance(dark_look['ground']) < 0.05
    assert light['line'] != dark_look['line']
    press = "document.getElementById('theme').click()"
    page.run(press)  # from auto to dark, which it is
    page.wait()
    assert looks(page) == dark_look
    page.run(press)
    page.wait()
    assert looks(page) == light and page.complaints == []
    page.run(press)


def test_nothing_of_a_run_is_markup_or_program(page: Page, tmp_path: Path) -> None:
    """Names, logs, configs, errors, analyses, pictures are shown as they are, and do nothing."""
    folder = write_run(tmp_path / HOSTILE.replace('/', '\u2215'))
    start = folder / '20260102_030405'
    write_facts(start, dict(host=HOSTILE, version=HOSTILE), error=ValueError(HOSTILE))
    (start / f'{start.name}.log').write_text(f'{HOSTILE}\n')
    (start / 'vis_data/config.py').write_text(f'name = {HOSTILE!r}\n# {HOSTILE}\n')
    for path in (folder / 'analysis').glob('*.json'):
        record = json.loads(path.read_text())
        record['settings'] = {HOSTILE: HOSTILE}
        record['checkpoint'] = f'{HOSTILE}/x.pth'
        path.write_text(json.dumps(record))
    (folder / 'analysis' / f'{HOSTILE.replace("/", "")}.json').write_text('{}')
    picture = folder / 'analysis/epoch_3_neighbors.png'
    shutil.copy(picture, picture.with_name(f'epoch_3_{HOSTILE.replace("/", "")}.png'))
    other = write_run(tmp_path / 'other')
    report = write_report([folder, other], tmp_path / 'report.html')
    page.open(report, width=1400)
    draw_all(page, 1400)
    assert (page.requests, page.complaints) == ([report.as_uri()], [])
    assert page.run('window.bad') is None
    assert page.run('document.scripts.length') == 3
    assert page.run("document.querySelectorAll('img[onerror]').length") == 0
    text = page.run('document.body.textContent')
    assert text.count(HOSTILE) > 6
    assert page.run("JSON.parse(document.getElementById('data').textContent).runs[0].name") == (
        HOSTILE.replace('/', '\u2215')
    )


def test_the_browser_bites(page: Page, tmp_path: Path) -> None:
    bad = tmp_path / 'bad.html'
    bad.write_text(
        '<html><body style="width: 900px"><img src="http://nowhere.invalid/x.png" width=900>'
        '<script>console.log("said"); missing()</script></body></html>'
    )
    page.open(bad, width=400)
    assert 'http://nowhere.invalid/x.png' in page.requests
    assert any('missing is not defined' in text for text in page.complaints)
    assert any('said' in text for text in page.complaints)
    assert len(page.run(OUTSIDE)) == 1 and page.run('document.documentElement.scrollWidth') > 400
