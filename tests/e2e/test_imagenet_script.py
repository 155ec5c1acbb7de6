"""eval/imagenet.py from end to end, on a prepared directory in the shape of ImageNet's validation split."""

import ast
import io
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from prepared import jpeg, write_tfds
from tiny import save_tiny, tiny_config

import lit as package
from lit.config import TokenizerConfig
from lit.datasets import tfds_dataset
from lit.errors import DatasetError
from lit.loading import load
from lit.suites import load_labels

SCRIPT = Path(__file__).parents[2] / "eval" / "imagenet.py"
IMAGES = 24
CORRUPT = 7

tfds = pytest.importorskip("tensorflow_datasets")
pytest.importorskip("array_record")

SYNSETS = tuple(names[0] for names in load_labels("imagenet"))


@pytest.fixture(scope="module")
def short_bundle(tmp_path_factory):
    """A tiny model that reads 16 tokens, as LiT does: ImageNet's protocol has 81,000 texts."""
    config = tiny_config(tokenizer=TokenizerConfig(kind="wordpiece", context_length=16))
    return save_tiny(tmp_path_factory.mktemp("models") / "short", config)


@pytest.fixture(scope="module")
def predicted(short_bundle, shared_cache):
    """The class that the tiny model takes each picture for, by the classifier and not by the evaluator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIT_CACHE", str(shared_cache))  # the script finds the class embeddings there
        classifier = package.ZeroShotClassifier(load(short_bundle), "imagenet", protocol="big-vision")
        pictures = [jpeg(i, 36) for i in range(IMAGES)]
        return np.argmax(classifier.similarity(pictures), axis=1)


def imagenet(data_dir, labels, **damage):
    """imagenet2012:5.1.0 with one split; its features are those of tfds's builder."""
    features = {
        "image": tfds.features.Image(encoding_format="jpeg"),
        "label": tfds.features.ClassLabel(names=SYNSETS),
        "file_name": tfds.features.Text(),
    }
    examples = [
        {
            "image": damage.get(f"image_{i}", jpeg(i, 36)),
            "label": int(label),
            "file_name": f"ILSVRC2012_val_{i + 1:08d}.JPEG",
        }
        for i, label in enumerate(labels)
    ]
    write_tfds(data_dir, "imagenet2012", examples, version="5.1.0", split="validation", features=features)
    return data_dir


@pytest.fixture
def script(lit, short_bundle):
    """Runs the script in a process of its own."""

    def run(*arguments):
        command = [sys.executable, SCRIPT, "--model", short_bundle, *arguments]
        words = list(map(str, command))
        return subprocess.run(words, cwd=lit.cwd, env=lit.env, capture_output=True, text=True, timeout=300, check=False)

    return run


def refusal(done):
    """The one line that a LitError becomes."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, done.stderr
    return done.stderr


def test_the_accuracy_is_that_of_the_labels(script, predicted, tmp_path):
    labels = predicted.copy()
    labels[:6] = (labels[:6] + 1) % 1000  # six of 24 are wrong
    done = script("--data-dir", imagenet(tmp_path / "data", labels))
    assert done.returncode == 0, done.stderr
    assert "ImageNet: tiny, protocol big-vision" in done.stdout
    assert re.search(r"Top-1 accuracy 75\.0 % .*n = 24\)", done.stdout)
    # Nobody published a figure for this model; the classes that cannot be predicted are said, and so is the repair.
    assert "no published figure" in done.stdout
    assert "Top-1 accuracy, repaired names" in done.stdout
    assert "'missile'" in done.stdout
    again = script("--data-dir", tmp_path / "data", "--limit", "6")
    assert re.search(r"Top-1 accuracy 0\.0 % .*n = 6\)", again.stdout), again.stderr


@pytest.mark.slow
def test_a_corrupt_jpeg_is_named_and_fatal_or_left_out(script, predicted, tmp_path):
    labels = predicted.copy()
    labels[0] = (labels[0] + 1) % 1000
    torn = jpeg(CORRUPT, 36)[:200]
    data_dir = imagenet(tmp_path / "data", labels, **{f"image_{CORRUPT}": torn})
    name = f"ILSVRC2012_val_{CORRUPT + 1:08d}.JPEG"
    said = refusal(script("--data-dir", data_dir))
    assert name in said
    assert "--skip-bad" in said
    done = script("--data-dir", data_dir, "--skip-bad")
    assert done.returncode == 0, done.stderr
    assert re.search(r"Top-1 accuracy 95\.7 % .*n = 23\)", done.stdout)  # 22 of 23
    assert "1 excluded" in done.stdout
    assert f"excluded: {name}: " in done.stdout


@pytest.mark.slow
def test_a_wrong_data_dir(script, tmp_path):
    said = refusal(script("--data-dir", tmp_path / "nowhere"))
    assert "nowhere" in said


def test_a_data_dir_without_imagenet(script, tmp_path):
    write_tfds(tmp_path, "cifar10", [{"image": jpeg(0), "label": 1}])
    said = refusal(script("--data-dir", tmp_path))
    assert "imagenet2012" in said
    assert "prepare" in said


@pytest.mark.slow
def test_a_run_that_was_cut_off_while_preparing(script, predicted, tmp_path):
    directory = imagenet(tmp_path, predicted) / "imagenet2012"
    (directory / "5.1.0").rename(directory / "incomplete.ABCDEF_5.1.0")
    assert "imagenet2012" in refusal(script("--data-dir", tmp_path))


@pytest.mark.slow
def test_a_model_that_does_not_exist(script, tmp_path):
    assert "no-such-model" in refusal(script("--model", "no-such-model", "--data-dir", tmp_path))


@pytest.mark.slow
def test_the_help_says_what_imagenet_needs():
    done = subprocess.run([sys.executable, SCRIPT, "--help"], capture_output=True, text=True, check=True)
    for said in (
        "ILSVRC2012_img_val.tar",
        "downloads/manual",
        "72.1 %",
        "73.9 %",
        "75.7 %",
        "big-vision",
        "model_cards/lit.md",
    ):
        assert said in done.stdout
    published = {name: entry.published for name, entry in package.MODELS.items()}
    for model, percent in (("LiT-B16B", 72.1), ("LiT-B16B_2", 73.9), ("LiT-L16L", 75.7)):
        assert f"{model} {percent} %" in done.stdout
        assert any(p.protocol == "big-vision" and abs(100 * p.value - percent) < 1e-9 for p in published[model])


def test_the_script_is_short_and_imports_lit_alone():
    text = SCRIPT.read_text()
    assert len(text.splitlines()) <= 60
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names - set(sys.stdlib_module_names) == {"lit"}


@pytest.mark.slow
def test_the_command_that_prepares_imagenet(tmp_path):
    """tfds's own builder, on an archive of seven pictures under ImageNet's names."""
    pytest.importorskip("tensorflow")
    pytest.importorskip("importlib_resources")  # tfds 4.9.10 needs it and does not say so
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    with tarfile.open(manual / "ILSVRC2012_img_val.tar", "w") as archive:
        for i in range(1, 8):
            member = tarfile.TarInfo(f"ILSVRC2012_val_{i:08d}.JPEG")
            member.size = len(jpeg(i, 36))
            archive.addfile(member, io.BytesIO(jpeg(i, 36)))
    command = re.search(r'python -c "(.*?)"\n', SCRIPT.read_text(), re.DOTALL)
    assert command
    code = re.sub(r"\n +", "\n", command[1]).replace("DATA_DIR", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with pytest.raises(DatasetError, match="train"):  # that of few-shot is not there
        tfds_dataset("imagenet2012", split="train", data_dir=tmp_path)
    rows = list(tfds_dataset("imagenet2012", split="validation", data_dir=tmp_path, identity="file_name").examples())
    assert {row.id: row.image for row in rows} == {f"ILSVRC2012_val_{i:08d}.JPEG": jpeg(i, 36) for i in range(1, 8)}
