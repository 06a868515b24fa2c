"""mkdocs: what lies outside of docs/ or is made from the source, on the site.

``../configs/...`` and ``../CONTRIBUTING.md`` work on a code host as they stand. On the site the
same files are placed beside the pages, and the links shortened to them. The READMEs of configs, the
notebooks and the API reference get their places in the navigation here, so that ``mkdocs.yml``
names the pages of docs/ alone.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGES = ('CONTRIBUTING.md', 'CHANGELOG.md', 'UPGRADING.md')
API = runpy.run_path(str(ROOT / 'docs/site/api_pages.py'))
NOTEBOOK = runpy.run_path(str(ROOT / 'docs/site/notebook.py'))


def outside() -> list[str]:
    """Return what is taken along, relative to the repository."""
    configs = [p for p in (ROOT / 'configs').rglob('*') if p.suffix in ('.md', '.py')]
    return [*PAGES, *(path.relative_to(ROOT).as_posix() for path in sorted(configs))]


def notebooks() -> dict[str, Path]:
    """Return the notebooks by the place of their page on the site."""
    return {f'notebooks/{p.stem}.md': p for p in sorted((ROOT / 'docs/notebooks').glob('*.ipynb'))}


def on_config(config: Any) -> Any:
    """Complete the navigation."""
    readmes = [name for name in outside() if re.fullmatch(r'configs/\w+/README\.md', name)]
    titled = sorted(((_title((ROOT / n).read_text('utf-8')), n) for n in readmes), key=_by_title)
    api = [{page.title: f'api/{page.name}.md'} for page in API['PAGES']]
    config.nav += [
        {'Methods and configs': [{title: name} for title, name in titled]},
        {'Notebooks': list(notebooks())},
        {'API': [{'Overview': 'api/index.md'}, *api]},
        {'Project': [{_title((ROOT / n).read_text('utf-8')): n} for n in PAGES]},
    ]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the files from outside and the pages that are made."""
    from mkdocs.structure.files import File

    for name in outside():
        files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
    made = {name: NOTEBOOK['to_markdown'](path) for name, path in notebooks().items()}
    for name, text in {**API['pages'](), **made}.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Shorten the links between docs/ and the rest: there is one folder less on the site."""
    name = page.file.src_uri
    if name.startswith('configs/'):
        depth = name.count('/')
        return markdown.replace('](' + '../' * depth + 'docs/', '](' + '../' * depth)
    if name in PAGES:
        return markdown.replace('](docs/', '](')
    return re.sub(r'\]\(\.\./(?=configs/|CONTRIBUTING|CHANGELOG|UPGRADING)', '](', markdown)


def _title(text: str) -> str:
    found = re.search(r'^# (.+)$', text, re.M)
    return found[1] if found else ''


def _by_title(item: tuple[str, str]) -> str:
    return item[0].lower()
