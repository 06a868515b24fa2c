"""MoCo-v3, CIFAR-10, a small vision transformer on patches of 4 pixels, 6 epochs: for two CPU cores.

Paper: Chen, Xie and He 2021 (MoCo-v3, arXiv 2104.02057); network, budget, rate, decay of the key
    encoder and views are ours, for a CPU.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/mocov3/mocov3_vit-tiny4_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; about an hour of CPU time, by the steps that were taken (busy cores).
Expected: kNN top-1 (k=20) above that of the untrained network; a transformer needs longer runs.
Measured: not yet measured at this budget; kNN top-1 (k=20) 31.1, untrained 28.2, after 105 steps
    on 2,000 images.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/schedules/sgd_cosine_6e_cpu.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='MoCo',
    online_views=(0, 1),
    target_views=(0, 1),
    batch_shuffle='none',
    ema_decay=0.98,
    ema_schedule='cosine',
    data_preprocessor=dict(
        type='ViewDataPreprocessor', mean=(125.307, 122.950, 113.865), std=(62.993, 62.089, 66.705)
    ),
    backbone=dict(
        type='TimmBackbone',
        model_name='vit_tiny_patch16_224',
        model_kwargs=dict(
            img_size=32,
            patch_size=4,
            embed_dim=96,
            depth=4,
            num_heads=3,
            weight_init='moco',
        ),
        frozen=('patch_embed',),
        positions='sincos',
        xavier_patches=True,
    ),
    neck=dict(
        type='MLPNeck',
        in_channels=96,
        hidden_channels=256,
        out_channels=128,
        num_layers=3,
        norm='all',
        last_affine=False,
    ),
    predictor=dict(
        type='MLPNeck',
        in_channels=128,
        hidden_channels=256,
        out_channels=128,
        norm='all',
        last_affine=False,
    ),
    head=dict(type='KeyBatchHead', temperature=0.2),
)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=1e-3, weight_decay=0.1))
train_dataloader = dict(batch_size=256, num_workers=1, pin_memory=False)
custom_hooks = [
    dict(
        type='KNNHook',
        interval=3,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    )
]
