"""Heads: objectives that take embeddings and blocks of candidates and return losses."""

from mochi_mm.models.heads.auxiliary_classifier_head import AuxiliaryClassifierHead
from mochi_mm.models.heads.balanced_softmax_head import BalancedSoftmaxHead
from mochi_mm.models.heads.base_contrastive_head import BaseContrastiveHead
from mochi_mm.models.heads.bregman_head import BregmanHead
from mochi_mm.models.heads.contrastive_head import ContrastiveHead
from mochi_mm.models.heads.cross_view_head import CrossViewHead
from mochi_mm.models.heads.decoupled_head import DecoupledHead
from mochi_mm.models.heads.dense_contrastive_head import DenseContrastiveHead
from mochi_mm.models.heads.e_sup_con_head import ESupConHead
from mochi_mm.models.heads.ex_con_head import ExConHead
from mochi_mm.models.heads.fair_kl_head import FairKLHead
from mochi_mm.models.heads.false_negative_head import FalseNegativeHead
from mochi_mm.models.heads.hard_negative_mixing_head import HardNegativeMixingHead
from mochi_mm.models.heads.inter_cluster_head import InterClusterHead
from mochi_mm.models.heads.invariance_head import InvarianceHead
from mochi_mm.models.heads.key_batch_head import KeyBatchHead
from mochi_mm.models.heads.linear_head import LinearHead
from mochi_mm.models.heads.n_pair_head import NPairHead
from mochi_mm.models.heads.nt_xent_head import NTXentHead
from mochi_mm.models.heads.open_con_head import OpenConHead
from mochi_mm.models.heads.parametric_contrast_head import ParametricContrastHead
from mochi_mm.models.heads.pseudo_label_head import PseudoLabelHead
from mochi_mm.models.heads.res_com_head import ResComHead
from mochi_mm.models.heads.skew_renyi_head import SkewRenyiHead
from mochi_mm.models.heads.soft_contrastive_head import SoftContrastiveHead
from mochi_mm.models.heads.sup_con_head import SupConHead
from mochi_mm.models.heads.sup_info_nce_head import SupInfoNCEHead
from mochi_mm.models.heads.sup_mix_head import SupMixHead
from mochi_mm.models.heads.uni_con_head import UniConHead

__all__ = [
    'AuxiliaryClassifierHead',
    'BalancedSoftmaxHead',
    'BaseContrastiveHead',
    'BregmanHead',
    'ContrastiveHead',
    'CrossViewHead',
    'DecoupledHead',
    'DenseContrastiveHead',
    'ESupConHead',
    'ExConHead',
    'FairKLHead',
    'FalseNegativeHead',
    'HardNegativeMixingHead',
    'InterClusterHead',
    'InvarianceHead',
    'KeyBatchHead',
    'LinearHead',
    'NPairHead',
    'NTXentHead',
    'OpenConHead',
    'ParametricContrastHead',
    'PseudoLabelHead',
    'ResComHead',
    'SkewRenyiHead',
    'SoftContrastiveHead',
    'SupConHead',
    'SupInfoNCEHead',
    'SupMixHead',
    'UniConHead',
]
