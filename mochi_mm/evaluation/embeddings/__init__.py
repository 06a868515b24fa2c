"""Embeddings of the images of a folder: made shard by shard, kept in one file, searched."""

from mochi_mm.evaluation.embeddings.embed_images import EmbedSettings, embed_images
from mochi_mm.evaluation.embeddings.embedding_file import Embeddings, read_embeddings

__all__ = ['EmbedSettings', 'Embeddings', 'embed_images', 'read_embeddings']
