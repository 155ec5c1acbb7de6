"""LiT training: a locked image tower, and a text tower that learns its language."""
