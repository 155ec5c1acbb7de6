"""Image embeddings on disk, found by the content of the picture."""
