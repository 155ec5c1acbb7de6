"""Contrastive objectives: pure functions of embeddings."""

from lit.losses.gradient_cache import gradients_in_two_passes as gradients_in_two_passes
from lit.losses.result import Loss as Loss
from lit.losses.sigmoid import sigmoid_loss as sigmoid_loss
from lit.losses.softmax import softmax_loss as softmax_loss
