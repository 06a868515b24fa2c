"""Two large and four small crops of an image of CIFAR-10, beside a data set of it."""

large_pipeline = [
    dict(type='RandomResizedCrop', size=32, scale=(0.3, 1.0)),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
    dict(type='RandomFlip', prob=0.5),
]
small_pipeline = [
    dict(type='RandomResizedCrop', size=16, scale=(0.1, 0.3)),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
    dict(type='RandomFlip', prob=0.5),
]
crops = dict(
    type='FastMultiView', transforms=['$large_pipeline', '$small_pipeline'], num_views=[2, 4]
)
