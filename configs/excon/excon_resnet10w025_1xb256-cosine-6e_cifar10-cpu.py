"""ExCon, CIFAR-10, a quarter-width ResNet-10, 6 epochs: a real run for two CPU cores.

Paper: ExCon (authors' code DarrenZhang01/ExCon); threshold and use of the masked images of their
    code, those that the classifier gets wrong left out; network, layer, budget, rate and first
    masked epoch are ours, for a CPU.
Command: python tools/train.py \\
    configs/excon/excon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 20 points above the untrained network.
Measured: fast linear probe 51.8 (SupCon 50.2), average drop 55.0 (64.0), at the budget of
    docs/comparisons.md.
"""

_base_ = '../supcon/supcon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

plain_pipeline = [dict(type='Resize', size=(32, 32))]
# Two random views, and the image itself, which is explained.
train_pipeline = [
    dict(type='MultiView', transforms=['$view_pipeline', '$plain_pipeline'], num_views=[2, 1]),
    dict(type='PackInputs'),
]
model = dict(
    num_views=3,
    view_editors=[dict(type='ExplainedViews', layer='layer2.0.conv2', start_epoch=2)],
    head=dict(type='ExConHead', background='none'),
    heads=dict(
        classifier=dict(type='AuxiliaryClassifierHead', num_classes=10, in_channels=128, views=(1,))
    ),
)
