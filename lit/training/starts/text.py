"""The text side of a start, and its vocabulary."""

import dataclasses
from pathlib import Path

from lit import checkpoints
from lit.config import BertConfig, TextTowerConfig, TokenizerConfig
from lit.errors import ConfigError
from lit.training.recipe import ModelConfig
from lit.training.recipe.checks import empty_unless
from lit.training.starts.side import Side
from lit.training.starts.whole import load_whole

#: Ids of a text where a BERT is trained from scratch and nothing else is said.
_LONGEST = 64


def text_side(model: ModelConfig, image: Side, *, offline: bool | None) -> Side:
    """What `model.text` and the keys beside it say; a tower from scratch may take the image side's vocabulary.

    Raises:
      ConfigError: keys contradict the start, or no vocabulary is named.
      CheckpointError: the start cannot be loaded.
    """
    side = _start(model, image, offline=offline)
    if model.vocab and side.vocab is not None:
        raise ConfigError(f"model.vocab is set and model.text ({side.origin}) brings its own; leave it out.")
    if side.vocab is None:
        side = _with_vocab(model, side, image, offline=offline)
    tokenizer = side.tokenizer
    if model.tokenizer is not None:
        if tokenizer is not None and tokenizer.kind != model.tokenizer.kind:
            raise ConfigError(
                f"model.tokenizer.kind is {model.tokenizer.kind!r}, and the vocabulary is of kind {tokenizer.kind!r}."
            )
        tokenizer = model.tokenizer
    return dataclasses.replace(side, tokenizer=tokenizer)


def _start(model: ModelConfig, image: Side, *, offline: bool | None) -> Side:
    if not model.text:
        assert model.text_tower is not None  # the recipe's own check
        return Side(tower=model.text_tower, params={}, origin="scratch")
    folder = Path(model.text)
    if checkpoints.is_bert_folder(folder):
        return _bert(model, folder)
    same = image.whole if model.text == model.image else None
    whole = same or load_whole("model.text", model.text, offline=offline)
    empty_unless("model.text_tower", model.text_tower, False, f"model.text ({whole.origin}) brings its own")
    return Side(
        tower=whole.config.text,
        head=whole.config.text_head,
        params={n: a for n, a in whole.params.items() if n.split("/")[0] in ("txt", "txt_head")},
        origin=whole.origin,
        tokenizer=whole.config.tokenizer,
        vocab=whole.vocab,
        whole=whole,
        licenses=whole.licenses,
    )


def _bert(model: ModelConfig, folder: Path) -> Side:
    """A BERT by itself; `model.text_tower` may pool it another way."""
    bert = checkpoints.load_bert(folder)
    tower = bert.config if model.text_tower is None else dataclasses.replace(model.text_tower, out_dim=None)
    nested = checkpoints.fit(bert.params, tower, source=str(folder))
    params = {f"txt/{name}": array for name, array in checkpoints.flatten(nested).items()}
    return Side(tower=tower, params=params, origin=str(folder), tokenizer=bert.tokenizer, vocab=bert.vocab)


def _with_vocab(model: ModelConfig, side: Side, image: Side, *, offline: bool | None) -> Side:
    """A vocabulary from a file, from the embedded model, or from the model that the image side comes from."""
    whole = load_whole("model.vocab", "embedded", offline=offline) if model.vocab == "embedded" else image.whole
    if model.vocab and model.vocab != "embedded":
        tokenizer, vocab, licenses = _of_file(model), Path(model.vocab), ()
    elif whole is not None:
        tokenizer, vocab, licenses = whole.config.tokenizer, whole.vocab, whole.licenses
    else:
        raise ConfigError(
            "model.vocab is empty, and neither model.text nor model.image brings a vocabulary; name a file "
            "(vocab.txt, *.model), or 'embedded' for that of the embedded model (BERT's, 30,522 pieces)."
        )
    assert isinstance(side.tower, TextTowerConfig)
    length = _context_length(side.tower)
    tokenizer = dataclasses.replace(tokenizer, context_length=length)
    return dataclasses.replace(side, tokenizer=tokenizer, vocab=vocab, licenses=licenses)


def _of_file(model: ModelConfig) -> TokenizerConfig:
    suffix = Path(model.vocab).suffix
    if model.tokenizer is not None:
        return model.tokenizer
    if suffix == ".txt":
        return TokenizerConfig(kind="wordpiece", vocab="vocab.txt")
    if suffix == ".model":
        return TokenizerConfig(kind="sentencepiece", vocab="sentencepiece.model")
    raise ConfigError(
        f"model.vocab is {model.vocab!r}, whose kind its name does not say (.txt: wordpiece, .model: sentencepiece); "
        "say it in model.tokenizer = {kind = ...}."
    )


def _context_length(tower: TextTowerConfig) -> int:
    return min(tower.max_positions, _LONGEST) if isinstance(tower, BertConfig) else tower.context_length
