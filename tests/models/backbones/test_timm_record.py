"""What of timm's arguments a weight file may record."""

from __future__ import annotations

from typing import Any

import pytest

from mochi_mm.models.backbones.timm_record import checked_timm_arguments


def test_shapes_rates_and_names_of_layers_stay() -> None:
    """What says where weights once came from is left out: whoever has them needs none of it."""
    kept = dict(drop_rate=0.1, img_size=[64, 64], act_layer='gelu', depths=[1, 2])
    where = dict(pretrained=True, checkpoint_path='/gone', pretrained_cfg=dict(file='/gone'))
    assert checked_timm_arguments({**kept, **where}, 'file') == kept
    assert checked_timm_arguments(None, 'file') == {}


@pytest.mark.parametrize(
    'given',
    [
        'pretrained',
        [('depth', 2)],
        dict(features_only=True),
        dict(norm_layer=dict(type='os.system')),
        dict(act_layer='../../x'),
        dict(drop_rate=float('nan')),
        dict(in_chans=2**40),
        dict(depth=513),
        dict(pretrained_cfg=dict(custom_load='hf')),
    ],
)
def test_anything_else_is_refused_with_the_name_of_the_file(given: Any) -> None:
    with pytest.raises(ValueError, match='evil'):
        checked_timm_arguments(given, 'evil')
