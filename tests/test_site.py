"""The site of docs/: every page is in its navigation, links lead somewhere, versions are true."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from mochi_mm.launch.listing.list_components import list_components
from mochi_mm.utils.versions import TESTED

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(path.name for path in (ROOT / 'docs').glob('*.md'))
SITE = ROOT / 'docs/site'
HOOK = runpy.run_path(str(SITE / 'hook.py'))
API, NOTEBOOK = HOOK['API'], HOOK['NOTEBOOK']
REWRITTEN = runpy.run_path(str(SITE / 'rewrite.py'))['rewritten']


def named_in(node: Any) -> list[str]:
    """The files of a navigation, in its order."""
    if isinstance(node, str):
        return [node]
    children = node.values() if isinstance(node, dict) else node
    return [name for child in children for name in named_in(child)]


def test_every_page_is_in_the_navigation_once() -> None:
    nav = named_in(yaml.safe_load((ROOT / 'mkdocs.yml').read_text())['nav'])
    assert sorted(nav) == PAGES and nav[0] == 'index.md'


def test_the_start_page_leads_to_every_page() -> None:
    linked = re.findall(r'\]\((\w+\.md)', (ROOT / 'docs/index.md').read_text())
    assert sorted({*linked, 'index.md'}) == PAGES


def on_the_site(name: str, text: str) -> list[str]:
    """Where the links of a page lead on the site, from its root."""
    page = SimpleNamespace(file=SimpleNamespace(src_uri=name))
    text = re.sub(r'^```.*?^```$', '', text, flags=re.M | re.S)
    shown = HOOK['on_page_markdown'](text, page, None, None)
    targets = re.findall(r'\]\(([^)#\s]+)', shown)
    folder = Path('/site') / Path(name).parent
    return [str((folder / t).resolve()) for t in targets if '://' not in t]


@pytest.mark.parametrize('name', PAGES)
def test_links_lead_to_what_is_on_the_site(name: str) -> None:
    pictures = [f'images/{path.name}' for path in (ROOT / 'docs' / 'images').iterdir()]
    there = {f'/site/{page}' for page in [*PAGES, *pictures, *HOOK['outside']()]}
    links = on_the_site(name, (ROOT / 'docs' / name).read_text())
    assert [link for link in links if link not in there] == []


def test_readmes_of_configs_lead_back_to_the_pages() -> None:
    there = {f'/site/{page}' for page in [*PAGES, *HOOK['outside']()]}
    names = [name for name in HOOK['outside']() if name.endswith('.md')]
    assert len(names) > 10
    wrong = {
        (name, link)
        for name in names
        for link in on_the_site(name, (ROOT / name).read_text())
        if link not in there and link != '/site/README.md'
    }
    assert wrong == set()


@pytest.fixture(scope='module')
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as make docs does."""
    if find_spec('mkdocstrings') is None:
        pytest.skip('mkdocs comes with make docs')
    folder = tmp_path_factory.mktemp('site')
    command = [sys.executable, '-m', 'mkdocs', 'build', '--strict', '-d', str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_site_needs_no_network(site: Path) -> None:
    for path in site.rglob('*.html'):
        text = re.sub(r'<pre.*?</pre>', '', path.read_text(), flags=re.S)
        fetched = re.findall(r'<(?:script|img)[^>]*src="([^"]*)|<link[^>]*href="([^"]*)', text)
        assert not [url for pair in fetched for url in pair if url.startswith(('http', '//'))]


def test_the_site_holds_pages_reference_and_index(site: Path) -> None:
    assert all((site / name).with_suffix('.html').is_file() for name in PAGES)
    assert 'id="evidence-over-seeds"' in (site / 'evaluation.html').read_text()
    heads = (site / 'api/heads.html').read_text()
    assert 'id="mochi_mm.models.heads.SupConHead"' in heads and ':class:' not in heads
    assert (site / 'search/search_index.js').read_text().startswith('var __index = {')


def test_the_search_works_from_a_folder(site: Path, tmp_path: Path) -> None:
    """In a browser, without a server; the word of the search stands in the address."""
    browser = shutil.which('chromium') or shutil.which('google-chrome')
    if browser is None:
        pytest.skip('no Chromium here: apt-get install chromium')
    done = subprocess.run(
        [
            *(browser, '--headless', '--no-sandbox', '--disable-gpu', '--dump-dom'),
            *(f'--user-data-dir={tmp_path}', '--virtual-time-budget=30000'),
            f'{(site / "index.html").as_uri()}?q=HardNegativeMixingHead',
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert re.search(r'\d+ matching documents', done.stdout), done.stderr[-2000:]
    assert 'api/heads.html' in done.stdout


def test_every_component_is_in_the_reference() -> None:
    shown = set(API['documented']())
    registered = {str(row[0]): str(row[1]) for row in list_components().rows}
    shown.add('LARS')  # the function lars
    missing = {name: kind for name, kind in registered.items() if name not in shown}
    assert missing == {}
    assert (
        len(shown) > 250 and {'build', 'pair_mixing_cosines', 'HardNegatives', 'StepKey'} <= shown
    )


def test_pages_of_the_reference() -> None:
    pages = API['pages']()
    assert set(pages) == {f'api/{page.name}.md' for page in API['PAGES']} | {'api/index.md'}
    heads = pages['api/heads.md']
    path = 'mochi_mm.models.heads.HardNegativeMixingHead'
    what = 'The MoCo objective with more negatives, synthesized for each query from its N hardest.'
    assert f'| [`HardNegativeMixingHead`][{path}] | {what} |\n' in heads
    assert f'::: {path}\n' in heads and 'check_memory' not in heads
    assert not re.search(r':(class|func|meth):`', ''.join(pages.values()))


def test_docstrings_are_rewritten_for_the_reference() -> None:
    text = 'Take :class:`~a.b.Known` or :func:`other`; ``x``.\n\n>>> f()\n1\n\nMore.'
    assert REWRITTEN(text, {'Known': 'a.Known'}) == (
        'Take [`Known`][a.Known] or `other`; `x`.\n\nExamples:\n    >>> f()\n    1\n\nMore.'
    )


def test_configs_notebooks_and_the_reference_are_in_the_navigation() -> None:
    config = SimpleNamespace(nav=[])
    sections = {
        title: named_in(part)
        for entry in HOOK['on_config'](config).nav
        for title, part in entry.items()
    }
    assert set(sections['API']) == set(API['pages']())
    assert sections['Notebooks'] == list(HOOK['notebooks']())
    readmes = {path.parent.name for path in (ROOT / 'configs').glob('*/README.md')}
    assert {name.split('/')[1] for name in sections['Methods and configs']} == readmes


def requirements(name: str) -> dict[str, str]:
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    found = [re.match(r'([\w-]+)((?:==|>=).+)', line) for line in lines]
    return {match[1]: match[2] for match in found if match}


def table_rows(page: str) -> list[list[str]]:
    lines = [line for line in page.splitlines() if line.startswith('| ')]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]


def test_versions_of_the_compatibility_page() -> None:
    rows = table_rows((ROOT / 'docs/compatibility.md').read_text())
    pins, ranges = requirements('constraints'), {}
    for name in ('runtime', 'det', 'timm', 'export'):
        ranges.update(requirements(name))
    pinned = [row for row in rows if row[0].split(' ')[0] in pins and row[2].startswith('>=')]
    assert len(pinned) >= 9
    for title, version, wanted in pinned:
        name = title.split(' ')[0]
        assert (pins[name], ranges[name]) == (f'=={version}', wanted), title
    tested = {row[0]: (row[1], row[2]) for row in rows if row[0] in TESTED and row not in pinned}
    assert tested == {name: (found.lowest, found.highest) for name, found in TESTED.items()}


def test_both_examples_of_own_images_are_one() -> None:
    pattern = r'`my_images.py`:\n\n```python\n(.*?)```'
    readme, page = (
        re.findall(pattern, (ROOT / name).read_text(), re.S)
        for name in ('README.md', 'docs/your_images.md')
    )
    assert len(page) == 1 and readme == page
