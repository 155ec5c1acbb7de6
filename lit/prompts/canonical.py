"""The plain spelling that big_vision gives to class names and prompts before they are tokenized."""

import string

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def canonicalize(text: str, *, keep: str = "") -> str:
    """Lower case, underscores as spaces, no ASCII punctuation, single spaces, none at either end.

    `canonicalize("Great_White  Shark!")` is "great white shark".  Applying it again changes nothing.

    Args:
      text: any text.
      keep: this exact string stays wherever it occurs: "{}" for a prompt; "," for a list of aliases.

    Source: github.com/google-research/big_vision, evaluators/proj/image_text/prompt_engineering.py.
    """
    text = text.replace("_", " ")
    if keep:
        text = keep.join(part.translate(_NO_PUNCTUATION) for part in text.split(keep))
    else:
        text = text.translate(_NO_PUNCTUATION)
    return " ".join(text.lower().split())  # a corpus has millions: half the time of a regular expression
