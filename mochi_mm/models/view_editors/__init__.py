"""View editors: changes to a batch of views with labels, random draws or the model at hand."""

from mochi_mm.models.view_editors.adversarial_views import AdversarialViews
from mochi_mm.models.view_editors.base_view_editor import BaseViewEditor
from mochi_mm.models.view_editors.explained_views import ExplainedViews
from mochi_mm.models.view_editors.instance_mix import InstanceMix
from mochi_mm.models.view_editors.reverse_mixing import ReverseMixing
from mochi_mm.models.view_editors.universum_mixing import UniversumMixing

__all__ = [
    'AdversarialViews',
    'BaseViewEditor',
    'ExplainedViews',
    'InstanceMix',
    'ReverseMixing',
    'UniversumMixing',
]
