"""Arguments of ``timm.create_model`` that a weight file may record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mochi_mm.files.shown import shown

#: What says where weights came from; whoever has the weights needs none of it.
WEIGHT_REQUESTS = ('pretrained', 'checkpoint_path', 'cache_dir', 'weight_init')
_PLACES = ('file', 'url', 'hf_hub_id', 'hf_hub_filename', 'hf_hub_revision', 'source')
_NAMES = """
act_layer aa_layer attn_drop_rate attn_layer attn_type avg_down base_width block_reduce_first
cardinality channels class_token conv_mlp depth depths dims downscale_freqs drop_block_rate
drop_path_rate drop_rate dynamic_img_pad dynamic_img_size embed_dim final_norm fix_init fc_norm
global_pool global_stride groups head_init_scale head_norm_first img_size in_chans init_values
kernel_sizes layers ls_init_value mlp_ratio no_embed_class norm_layer num_heads num_layers
output_stride patch_drop_rate patch_size pool_type pos_drop_rate pos_embed pre_norm
proj_drop_rate qk_norm qkv_bias reg_tokens replace_stem_pool se_layer stem_type stem_width
strict_img_size use_grn width_factor window_ratio window_size zero_init_last
"""
#: Shapes, rates and the names of layers, which timm looks up in tables of its own.
ARGUMENTS = frozenset(_NAMES.split())
_WORD = re.compile(r'[A-Za-z0-9_-]{0,40}')
_LARGEST = 65_536
_LONGEST = 16
#: How often a layer may repeat; a shape costs memory, a count costs time as well.
_COUNTS = ('depth', 'depths', 'layers', 'num_layers', 'reg_tokens')
_MOST = 512


def checked_timm_arguments(given: Any, source: str) -> dict[str, Any]:
    """Return recorded arguments without requests for weights.

    Args:
        given: Arguments as the file holds them; None for none.
        source: The file, for the error.

    Raises:
        ValueError: An argument that is not in :data:`ARGUMENTS`, a value that is not plain or that
            no network has, or a ``pretrained_cfg`` that says more than where weights are.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ValueError(f'{source} records model_kwargs={shown(given)}; expected a dict.')
    kept = {}
    for name, value in given.items():
        if name in WEIGHT_REQUESTS:
            continue
        if name in ('pretrained_cfg', 'pretrained_cfg_overlay'):
            _check_place(name, value, source)
            if isinstance(value, str):
                kept[name] = value  # which of timm's own settings the shapes are
        elif name not in ARGUMENTS:
            raise ValueError(
                f'{source} records the argument {shown(name)} of timm.create_model, which is not '
                'taken from a weight file. Taken are shapes, rates and names of layers: '
                f'{", ".join(sorted(ARGUMENTS))}.'
            )
        elif not _is_plain(value, _MOST if name in _COUNTS else _LARGEST):
            raise ValueError(
                f'{source} records {name}={shown(value)} for timm.create_model; expected numbers '
                f'up to {_MOST if name in _COUNTS else _LARGEST}, a word, or a list of up to '
                f'{_LONGEST} of them.'
            )
        else:
            kept[name] = value
    return kept


def _check_place(name: str, value: Any, source: str) -> None:
    if value is None or (isinstance(value, str) and _WORD.fullmatch(value)):
        return
    if isinstance(value, Mapping) and set(value) <= set(_PLACES):
        return
    raise ValueError(
        f'{source} records {name}={shown(value)} for timm.create_model; expected no more in it '
        f'than where weights are ({", ".join(_PLACES)}), which is not looked at.'
    )


def _is_plain(value: Any, largest: int, inside: bool = False) -> bool:
    if value is None or type(value) is bool:
        return True
    if type(value) in (int, float):
        return bool(abs(value) <= largest)  # not NaN
    if isinstance(value, str):
        return _WORD.fullmatch(value) is not None
    if isinstance(value, (list, tuple)) and not inside and len(value) <= _LONGEST:
        return all(_is_plain(item, largest, inside=True) for item in value)
    return False
