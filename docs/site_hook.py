"""mkdocs: pages link into configs/ and the root, which lie outside of docs/; take those along.

``../configs/...`` and ``../CONTRIBUTING.md`` work on a code host as they stand. On the site the
same files are placed beside the pages, and the links shortened to them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES = ('CONTRIBUTING.md', 'CHANGELOG.md', 'UPGRADING.md')


def outside() -> list[str]:
    """Return what is taken along, relative to the repository."""
    configs = [p for p in (ROOT / 'configs').rglob('*') if p.suffix in ('.md', '.py')]
    return [*PAGES, *(path.relative_to(ROOT).as_posix() for path in sorted(configs))]


def on_files(files: Any, config: Any) -> Any:
    """Add them to the site."""
    from mkdocs.structure.files import File

    for name in outside():
        files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
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
