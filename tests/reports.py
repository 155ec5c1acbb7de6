"""Reports made up for tests: figures that hang together, at the sizes that occur."""

import io
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from lit.metrics.figure import Figure
from lit.report.gallery import GalleryItem
from lit.report.gap import GapStep
from lit.report.report import Excluded, FewShot, Predictions, ReliabilityBin, Report, Timing
from lit.report.seal import Seal
from lit.suites.suite import Expected

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
NASTY = (
    "<script>alert('x')</script>",
    "\"quoted\" & 'single'",
    "كلب صغير",
    "犬",
    "🐕‍🦺 service dog",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2,
    "a" * 300,
    "{{ 7 * 7 }} {% raw %}",
    "</style></title><img src=x onerror=alert(1)>",
    "$\\frac{1}{0}$",
)
_VOID = {"meta", "link", "img", "input", "br"}
_ADJECTIVES = ["red", "black", "little", "great", "spotted", "northern", "giant", "common", "Siberian", "silver"]
_NOUNS = ["fox", "cat", "dog", "heron", "beetle", "truck", "bridge", "violin", "teapot", "mushroom"]


class Reader(HTMLParser):
    """Text, tags and attributes; every tag must be closed in its order."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def seal(**factors: dict[str, str]) -> Seal:
    """A seal; `protocol={"templates": "..."}` changes single factors."""
    groups = {
        "data": {
            "dataset": "cifar10:3.0.2",
            "split": "test",
            "images": "10,000, sha256 7b3f5b1f8f0a4d66c1a0",
            "label map": "names of the dataset, in its order",
        },
        "protocol": {
            "names": "cifar10, 10 names, sha256 51e8a7",
            "templates": "cifar10, 18 templates",
            "canonicalisation": "lower case, no punctuation",
            "averaging": "mean of unit vectors, scaled to unit norm",
            "metric": "top1",
        },
        "model": {
            "weights": "LiT-B16B_2.npz, sha256 bfa2f6c2b0e1",
            "tokenizer": "WordPiece, 30,522 pieces, 16 tokens",
            "decoder": "libjpeg-turbo, islow",
            "resize": "224 x 224, bilinear, no antialiasing",
            "crop": "none",
            "value range": "-1 to 1",
            "precision": "float32",
        },
        "software": {"lit": "0.1.0", "jax": "0.11.1", "numpy": "2.3.1", "device": "cpu"},
    }
    return Seal(**{group: of | factors.get(group, {}) for group, of in groups.items()})


def class_names(classes: int) -> tuple[str, ...]:
    if classes == 10:
        return CIFAR10
    nouns = [f"{a} {b} {c}" for a in _ADJECTIVES for b in _ADJECTIVES for c in _NOUNS]
    return ("cat", "dog") if classes == 2 else tuple(nouns[:classes])


def figure(value: float, n: int, method: str = "Wilson") -> Figure:
    half = 1.96 * np.sqrt(max(value * (1 - value), 1e-6) / n)
    return Figure(value=value, low=max(0.0, value - half), high=min(1.0, value + half), n=n, method=method)


def timing(n: int = 10_000) -> Timing:
    return Timing(
        wall=n / 190,
        read=n / 4000,
        decode=n / 310,
        tower=n / 205,
        text=3.1,
        score=0.4,
        computed=n - n // 5,
        reused=n // 5,
    )


def classification(
    classes: int = 10,
    n: int = 10_000,
    *,
    names: tuple[str, ...] | None = None,
    accuracy: float = 0.72,
    predictions: bool = True,
    seed: int = 0,
    **fields,
) -> Report:
    """A classification report whose confusion, bins, supports and figures come from one draw."""
    rng = np.random.default_rng(seed)
    names = names or class_names(classes)
    label = np.sort(rng.integers(0, classes, n))
    easy = rng.beta(6, 6 * (1 - accuracy) / accuracy, classes)
    easy = np.clip(easy + accuracy - easy.mean(), 0.02, 0.99)
    double = (np.arange(classes) + 1 + 2 * (np.arange(classes) % 2)) % classes
    wrong = np.where(rng.random(n) < 0.5, double[label], rng.integers(0, classes, n))
    first = np.where(rng.random(n) < easy[label], label, wrong)
    right = first == label
    second = np.where(~right & (rng.random(n) < 0.8), label, (first + 1) % classes)
    rest = [(first + k + 1 + (label > first)) % classes for k in range(1, min(4, classes - 1))]
    top = np.stack([first, second, *rest], axis=1)
    confidence = np.clip(np.where(right, rng.beta(5, 1.6, n), rng.beta(2.5, 2.5, n)), 1 / classes, 0.9999)
    pairs, counts = np.unique(np.stack([label, first], axis=1), axis=0, return_counts=True)
    support = np.bincount(label, minlength=classes)
    correct = np.bincount(label[right], minlength=classes)
    per_class = float((correct / np.maximum(support, 1)).mean())
    bins = _bins(confidence, right)
    ece = sum(b.n * abs(b.confidence - b.accuracy) for b in bins) / n
    rows = Predictions(
        ids=tuple(f"test/{i:05}" for i in range(n)),
        digests=tuple(f"{x:016x}" for x in rng.integers(0, 2**63, n)),
        labels=tuple((int(c),) for c in label),
        top=tuple(tuple(map(int, row)) for row in top),
        confidence=tuple(map(float, confidence)),
    )
    made = {
        "suite": "cifar10",
        "title": "CIFAR-10",
        "task": "classification",
        "model": "LiT-B16B_2",
        "protocol": "clip",
        "headline": "top1",
        "figures": {
            "top1": figure(float(right.mean()), n),
            **({"top5": figure(float((top == label[:, None]).any(1).mean()), n)} if classes > 5 else {}),
            "mean_per_class": figure(per_class, n, "bootstrap over images within classes, 1000 draws, seed 0"),
            "ece": Figure(
                value=ece, low=ece * 0.9, high=ece * 1.12, n=n, method="bootstrap over images, 1000 draws, seed 0"
            ),
        },
        "seal": seal(),
        "timing": timing(n),
        "created": "2025-03-14T15:09:26Z",
        "class_names": names,
        "support": tuple(map(int, support)),
        "correct": tuple(map(int, correct)),
        "confusion": tuple((int(a), int(b), int(k)) for (a, b), k in zip(pairs, counts, strict=True)),
        "reliability": bins,
        "predictions": rows if predictions else None,
    }
    return Report(**(made | fields))


def full() -> Report:
    """CIFAR-10 with everything that a report can carry."""
    report = classification()
    few = [
        FewShot(method=m, shots=k, accuracies=tuple(a + d for d in (-0.02 / k, 0.004, 0.013 / k)), setting=s)
        for m, s, of in (
            ("ridge", "l2 = 1024", (0.61, 0.79, 0.84, 0.88)),
            ("nearest neighbours", "k = 10, cosine", (0.55, 0.74, 0.79, 0.83)),
        )
        for k, a in zip((1, 5, 10, 25), of, strict=True)
    ]
    return classification(
        figures={**report.figures, "repaired/top1": figure(report.accuracy + 0.004, 10_000)},
        expected=(
            Expected(
                model="LiT-B16B_2",
                metric="top1",
                value=0.739,
                source="Zhai et al., LiT: Zero-Shot Transfer with Locked-image text Tuning, table 7",
                protocol="clip",
            ),
            Expected(model="LiT-B16B_2", metric="top1", value=0.731, source="vit_jax notebook", protocol="lit-colab"),
        ),
        excluded=tuple(
            Excluded(id=f"test/{i:05}", reason="the file is cut off (1,024 of 2,381 bytes)") for i in (17, 4711, 9000)
        ),
        warnings=(
            "3 of 10,003 images could not be decoded and are not in the figures.",
            "The confusion matrix looks permuted: 'cat' and 'dog' seem to have changed places (84 % of their images).",
        ),
        few_shot=tuple(few),
        notes=("20 % of the test images have a near copy among the training images.",),
    )


def gap(path: bool = False) -> tuple[GapStep, ...]:
    """One choice at a time, or a way from one protocol to another."""
    rows = (
        ("templates", "clip-best", "plain", -0.021),
        ("templates", "clip-best", "lit-colab", -0.004),
        ("averaging", "mean scaled to unit norm", "mean as it is", -0.0068),
        ("canonicalisation", "off", "on", 0.0031),
        ("JPEG decoder", "tf", "accurate", 0.0002),
        ("precision", "float32", "bfloat16", 0.0),
    )
    steps, at = [], 0.739
    for factor, before, after, delta in rows:
        value = at + delta
        step = GapStep(
            factor=factor, before=before, after=after, figure=figure(value, 10_000), delta=delta,
            low=delta - 0.003, high=delta + 0.003,
        )  # fmt: skip
        steps.append(step)
        at = value if path else at
    return tuple(steps)


def gallery(count: int = 24, names: tuple[str, ...] = CIFAR10) -> tuple[GalleryItem, ...]:
    return tuple(
        GalleryItem(
            id=f"test/{97 * i:05}",
            jpeg=thumbnail(i),
            label=names[i % len(names)],
            predicted=names[(i + 3) % len(names)],
            confidence=0.999 - i / 200,
        )
        for i in range(count)
    )


def retrieval() -> Report:
    ways = {"image_to_text": (0.42, 0.68, 0.78), "text_to_image": (0.31, 0.57, 0.69)}
    sizes = {"image_to_text": 5000, "text_to_image": 25_010}
    return Report(
        suite="coco_captions",
        title="COCO captions, Karpathy's test split",
        task="retrieval",
        model="LiT-B16B_2",
        protocol="clip",
        headline="image_to_text_r1",
        figures={
            f"{way}_r{k}": figure(v, sizes[way])
            for way, of in ways.items()
            for k, v in zip((1, 5, 10), of, strict=True)
        },
        expected=(Expected(model="LiT-B16B_2", metric="image_to_text_r1", value=0.43, source="model card"),),
        seal=seal(data={"dataset": "coco_captions:1.1.0"}),
        timing=timing(5000),
        created="2025-03-14T15:09:26Z",
        predictions=Predictions(
            ids=("a.jpg", "b.jpg"),
            digests=("0" * 16, "f" * 16),
            labels=((), ()),
            top=((3, 1), (2,)),
            confidence=(0.5, 0.25),
        ),
    )


def thumbnail(seed: int) -> bytes:
    """A JPEG of a blurred landscape of colours."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8))
    out = io.BytesIO()
    small.resize((112, 112), Image.Resampling.BICUBIC).save(out, "JPEG", quality=80)
    return out.getvalue()


def _bins(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> tuple[ReliabilityBin, ...]:
    of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return tuple(
        ReliabilityBin(
            low=b / bins,
            high=(b + 1) / bins,
            n=int((of == b).sum()),
            confidence=float(confidence[of == b].mean()) if (of == b).any() else 0.0,
            accuracy=float(right[of == b].mean()) if (of == b).any() else 0.0,
        )
        for b in range(bins)
    )
