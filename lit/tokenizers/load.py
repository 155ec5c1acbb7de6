"""From a configuration and a vocabulary file to a tokenizer."""

from pathlib import Path

from lit.config import TokenizerConfig
from lit.errors import CheckpointError, CheckpointNotFoundError
from lit.tokenizers.protocol import Tokenizer


def load_tokenizer(config: TokenizerConfig, vocab: str | Path | bytes) -> Tokenizer:
    """The tokenizer that a model was trained with.

    Args:
      config: travels with the weights.
      vocab: a vocabulary file, or its content: for "wordpiece" a text file with one piece a line, for "sentencepiece"
        a serialised model.

    Raises:
      CheckpointNotFoundError: there is no such file.
      CheckpointError: the file is not such a vocabulary; the message says in what way.
    """
    try:
        content = vocab if isinstance(vocab, bytes) else Path(vocab).read_bytes()
    except FileNotFoundError as error:
        raise CheckpointNotFoundError(f"there is no vocabulary {vocab}.") from error
    except OSError as error:
        raise CheckpointError(f"the vocabulary {vocab} cannot be read: {error.strerror}.") from error
    try:
        return _build(config, content)
    except CheckpointError as error:
        if isinstance(vocab, bytes):
            raise
        raise CheckpointError(f"{vocab}: {error}") from error


def _build(config: TokenizerConfig, content: bytes) -> Tokenizer:
    # Imported here, because only one of them is ever needed, and the wheel behind the second takes time to load.
    if config.kind == "wordpiece":
        from lit.tokenizers.wordpiece import WordPiece

        return WordPiece(config, _lines(content))
    from lit.tokenizers.sentencepiece import SentencePiece

    return SentencePiece(config, content)


def _lines(content: bytes) -> list[str]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"byte {error.start:,} of {len(content):,} is not UTF-8; a WordPiece vocabulary is a text file. Is this a "
            "SentencePiece model, or a file that was not downloaded whole?"
        ) from error
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if lines == [""]:
        raise CheckpointError("the vocabulary is empty.")
    if "" in lines:
        raise CheckpointError(f"line {lines.index('') + 1} of the vocabulary is empty; each line is a piece.")
    return lines
