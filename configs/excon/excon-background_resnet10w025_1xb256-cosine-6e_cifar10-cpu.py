"""ExCon with background negatives, CIFAR-10, a quarter-width ResNet-10, 6 epochs, for a CPU.

Paper: ExCon (authors' code DarrenZhang01/ExCon); the masked images that the classifier gets wrong
    are negatives, as the command of their README has it; the rest as the config without.
Command: python tools/train.py \\
    configs/excon/excon-background_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 20 points above the untrained network.
Measured: fast linear probe 52.9 (SupCon 50.2), average drop 63.4 (64.0), at the budget of
    docs/comparisons.md.
"""

_base_ = 'excon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    view_editors=[
        dict(type='ExplainedViews', layer='layer2.0.conv2', background=True, start_epoch=2)
    ],
    head=dict(background='negatives'),
)
