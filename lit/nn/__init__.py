"""The towers, in Flax Linen; parameter names are exactly those of the published checkpoints."""
