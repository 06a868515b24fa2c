"""The list that is read from the source holds what the registries hold."""

from __future__ import annotations

from importlib.util import find_spec

from mochi_mm.launch.listing.list_components import list_components
from mochi_mm.registry import components


def plain(name: str) -> str:
    return name.replace('_', '').replace(' ', '').rstrip('s')


def test_the_list_is_that_of_the_registries() -> None:
    listed = {str(row[0]): row for row in list_components().rows}
    registered = components()
    if find_spec('mmdet') is None:
        listed = {n: row for n, row in listed.items() if '/transfer/' not in str(row[3])}
    assert sorted(listed) == sorted(registered)
    for name, (registry, component) in registered.items():
        _, kind, what, file = map(str, listed[name])
        assert what, f'{name} has no docstring'
        if name != 'LARS':  # a class of timm under our name
            assert component.__module__.replace('.', '/') + '.py' == file
        module = component.__module__.split('.')
        if registry.name == 'model' and module[1] == 'models':
            assert kind == module[2]
        else:
            assert plain(kind) == plain(registry.name), name
