"""Validation and test of a model with a classifier: top-1 and top-5 on the query images."""

val_dataloader = dict(_copy_='query_dataloader')
test_dataloader = dict(_copy_='query_dataloader')
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
val_evaluator = dict(type='TopKAccuracy', topk=(1, 5))
test_evaluator = dict(type='TopKAccuracy', topk=(1, 5))
