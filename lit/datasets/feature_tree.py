"""Features of a builder, which nest: found by path, shown, and cut down to some of them."""

from collections.abc import Sequence
from typing import Any

from lit.datasets import guest
from lit.errors import DatasetError


def find(features: Any, path: str, role: str, of: str) -> tuple[list[str], Any]:
    """The feature at a path, and the keys that lead to it.

    A key may hold a slash itself ("image/filename" beside "image"), so the longest one that is there is taken.

    Args:
      features: of the builder.
      path: "image", "captions/text".
      role: what it is wanted for; an image or a name should not come out of a sequence.
      of: the dataset, for messages.

    Raises:
      DatasetError: it is not there, or holds several values where one is wanted.
    """
    node, keys, left = features, [], path.split("/")
    while left:
        while hasattr(node, "feature"):  # a sequence
            if role in ("image", "identity"):
                raise DatasetError(f"{of}: {path!r} holds several values for an example; its {role} should be one.")
            node = node.feature
        there = node if hasattr(node, "keys") else ()
        n = next((n for n in range(len(left), 0, -1) if "/".join(left[:n]) in there), 0)
        if not n:
            raise DatasetError(f"{of} has no feature {path!r} (asked for as its {role}); it has {shown(features)}.")
        keys.append("/".join(left[:n]))
        node, left = node[keys[-1]], left[n:]
    return keys, node


def shown(features: Any, prefix: str = "") -> str:
    """The paths of all that is there."""
    features = inner(features)
    if not hasattr(features, "keys"):
        return prefix
    return ", ".join(shown(features[key], f"{prefix}/{key}".lstrip("/")) for key in sorted(features.keys()))


def inner(feature: Any) -> Any:
    """What a sequence, or a sequence of them, is made of."""
    while hasattr(feature, "feature"):
        feature = feature.feature
    return feature


def pruned(feature: Any, paths: Sequence[Sequence[str]]) -> Any:
    """The same features without those on no path; serialized examples are read by name, so the rest is passed over.

    Args:
      feature: of the builder.
      paths: keys, from `find`.

    Returns:
      Videos as what they are stored as, a sequence of texts; so no frame is decoded.
    """
    kinds = guest.tfds().features
    if isinstance(feature, kinds.Video):
        return kinds.Sequence(kinds.Text())
    if not all(paths):
        return feature
    if hasattr(feature, "feature"):
        return kinds.Sequence(pruned(feature.feature, paths))
    keys = dict.fromkeys(path[0] for path in paths)
    return kinds.FeaturesDict({key: pruned(feature[key], [p[1:] for p in paths if p[0] == key]) for key in keys})


def at(tree: Any, path: Sequence[str]) -> Any:
    """What a decoded example holds there."""
    for key in path:
        tree = tree[key]
    return tree
