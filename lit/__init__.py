"""Zero-shot image-text models in JAX."""
