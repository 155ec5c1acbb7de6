"""A suite: everything that moves a figure, in one file."""

import dataclasses
from collections.abc import Mapping
from typing import Literal


@dataclasses.dataclass(frozen=True, kw_only=True)
class Expected:
    """A published figure.

    Attributes:
      model: as released.
      metric: which figure ("top1", "mean_per_class", "image_to_text_r1").
      value: a fraction.
      source: where it was published.
      protocol: under which protocol it was measured; empty where the source does not say.
    """

    model: str
    metric: str
    value: float
    source: str
    protocol: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Suite:
    """A dataset, and every choice that moves the figure measured on it.

    Attributes:
      name: of its file.
      title: for people.
      task: "classification" or "retrieval".
      dataset: its name in tfds, with the configuration where it matters ("imagenet_v2/matched-frequency"); empty where
        tfds lacks it and only a folder, manifest or archive can bring it.
      split: the one that is scored.
      train_split: the one that few-shot takes its examples from; empty: there is none.
      image, label, identity: the features that hold the picture, the label(s), and what names the example (empty:
        tfds's own id).
      captions: retrieval: the feature that holds them ("captions/text").
      captions_per_image: retrieval: how many the protocol takes, first ones first; 0: all.
      classes: the class list in `prompts/classes/`, or a path; line i is class i.
      labels: the file in `eval/suites/labels/`, or a path, that gives, line by line beside the class list, the
        dataset's own name of each class.
      prompts: the prompt set that CLIP used on this dataset.
      protocol: "clip", "big-vision" or "lit-colab"; the first takes `prompts`, the others bring their own.
      resize: "model" leaves the model's preprocessing; "stretch" and "crop" override it.
      metric: the headline: "top1", "mean_per_class", or "image_to_text_r1".
      any_hit: several labels may be right; one hit counts, and examples without a label are left out.
      subset: the suite's classes are a subset of the dataset's labels (ImageNet-A and -R: 200 of 1000).
      repaired: class position -> a name that tells it apart from its double; reported beside the published names.
      expected: published figures.
      notes: what a reader of the figure should know (contamination, how the split came about).
      source: of the protocol.
    """

    name: str
    title: str
    task: Literal["classification", "retrieval"] = "classification"
    dataset: str = ""
    split: str = "test"
    train_split: str = ""
    image: str = "image"
    label: str = "label"
    identity: str = ""
    captions: str = ""
    captions_per_image: int = 0
    classes: str = ""
    labels: str = ""
    prompts: str = ""
    protocol: Literal["clip", "big-vision", "lit-colab"] = "clip"
    resize: Literal["model", "stretch", "crop"] = "model"
    metric: str = "top1"
    any_hit: bool = False
    subset: bool = False
    repaired: Mapping[int, str] = dataclasses.field(default_factory=dict)
    expected: tuple[Expected, ...] = ()
    notes: tuple[str, ...] = ()
    source: str = ""
