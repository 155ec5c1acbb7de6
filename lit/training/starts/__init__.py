"""Where a training run begins: towers, tokenizer and preprocessing, from wherever each of them comes."""

from lit.training.starts.assemble import Start as Start
from lit.training.starts.assemble import start as start
