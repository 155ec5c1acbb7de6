"""Contrastive objectives: pure functions of embeddings."""
