"""Texts to ids, exactly as each model was trained with.  No TensorFlow, no JAX."""

from lit.tokenizers.load import load_tokenizer as load_tokenizer
from lit.tokenizers.protocol import Explanation as Explanation
from lit.tokenizers.protocol import Tokenizer as Tokenizer
