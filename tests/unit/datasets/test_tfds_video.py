"""Videos of prepared datasets: the middle frame as it is stored.  Keys that hold a slash, names that repeat."""

import io
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from google.protobuf import json_format
from PIL import Image
from prepared import jpeg, png, write_tfds

from lit.datasets import tfds_dataset
from lit.datasets.video import OURS, THEIRS, Video, middle_frame
from lit.errors import DatasetError

tfds = pytest.importorskip("tensorflow_datasets")

FORMATS = {"data-source": "array_record", "tf": "tfrecord"}
READERS = pytest.mark.parametrize("reader", FORMATS)
#: Frames of each video; both an odd and an even number, and a single one.
LENGTHS = (5, 4, 1)


def write_videos(root, file_format, lengths=LENGTHS):
    """Frames as PNG and JPEG files, as arrays (which tfds encodes), of 16 bits, and of a fixed number."""
    kinds = tfds.features
    features = {
        "video": kinds.Video(shape=(None, None, None, 3)),
        "jpegs": kinds.Video(shape=(None, 8, 10, 3), encoding_format="jpeg"),
        "arrays": kinds.Video(shape=(None, 4, 6, 1)),
        "deep": {"video": kinds.Video(shape=(None, 4, 6, 1), dtype=np.uint16)},
        "three": kinds.Video(shape=(3, None, None, 3)),
        "float": kinds.Video(shape=(None, 4, 6, 1), dtype=np.float32),
        "label": kinds.ClassLabel(names=["run", "jump"]),
    }
    examples = [
        {
            "video": [png(100 * i + j) for j in range(n)],
            "jpegs": [jpeg(100 * i + j) for j in range(n)],
            "arrays": pixels(i, n),
            "deep": {"video": list(pixels(i, n).astype(np.uint16) * 257)},
            "three": [png(j) for j in (i, i + 1, i + 2)],
            "float": [],
            "label": i % 2,
        }
        for i, n in enumerate(lengths)
    ]
    return write_tfds(root, "clips", examples, features=features, file_format=file_format)


def pixels(i, n):
    return np.random.default_rng(i).integers(0, 256, (n, 4, 6, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    roots = {reader: tmp_path_factory.mktemp(reader) for reader in FORMATS}
    for reader, root in roots.items():
        write_videos(root, FORMATS[reader])
    return roots


def images(root, image):
    return [example.image for example in tfds_dataset("clips", data_dir=root, image=image).examples()]


@READERS
def test_the_middle_frame_as_it_is_stored(clips, reader):
    assert images(clips[reader], "video") == [png(2), png(102), png(200)]
    assert images(clips[reader], "jpegs") == [jpeg(2), jpeg(102), jpeg(200)]
    assert images(clips[reader], "three") == [png(1), png(2), png(3)]
    data = tfds_dataset("clips", data_dir=clips[reader], image="video")
    assert [(e.labels, e.id[-3:]) for e in data.examples(1, 2)] == [((1,), "__1")]


@READERS
@pytest.mark.parametrize("image", ["video", "arrays", "deep/video"])
def test_it_is_the_frame_that_tfds_decodes(clips, reader, image):
    """Decoded here, against frame n // 2 of what tfds gives of the whole video."""
    builder = tfds.builder_from_directory(clips["tf"] / "clips" / "1.0.0")
    config = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    oracle = []
    for example in tfds.as_numpy(builder.as_dataset(split="test", read_config=config)):
        for key in image.split("/"):
            example = example[key]
        oracle.append(example[len(example) // 2])
    found = images(clips[reader], image)
    assert len(found) == len(oracle) == len(LENGTHS)
    for frame, expected in zip(found, oracle, strict=True):
        decoded = np.asarray(Image.open(io.BytesIO(frame)))
        np.testing.assert_array_equal(decoded.reshape(expected.shape), expected)


def test_only_the_middle_frame_has_to_be_a_picture(tmp_path):
    features = {"video": tfds.features.Video(shape=(None, None, None, 3)), "label": tfds.features.ClassLabel(names="a")}
    example = {"video": [b"no picture\0", png(1), b"\0"], "label": 0}
    write_tfds(tmp_path, "clips", [example], features=features)
    assert images(tmp_path, "video") == [png(1)]
    write_tfds(tmp_path, "clips", [{**example, "video": [b"a", b"\0b\0\0"]}], features=features)
    assert images(tmp_path, "video") == [b"\0b\0\0"]  # bytes are what they are


@READERS
def test_an_empty_video_is_told_with_its_example(tmp_path, reader):
    write_videos(tmp_path, FORMATS[reader], (2, 0, 3))
    examples = tfds_dataset("clips", data_dir=tmp_path, image="video").examples()
    assert next(examples).image == png(1)
    says = rf"clips:1.0.0, example clips-test.{FORMATS[reader]}-00000-of-00001__1: its video has no frames"
    with pytest.raises(DatasetError, match=says):
        next(examples)


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ({"label": "video"}, "the feature 'video' holds no labels: it is Video.Image"),
        ({"label": "label", "captions": "video"}, "the feature 'video' holds no text: it is Video"),
        ({"label": "label", "identity": "video"}, "the feature 'video' names no example: it is Video"),
        ({"image": "float"}, "the feature 'float' holds no picture of 8 or 16 bits"),
        ({"image": "video/frame"}, "'video/frame' holds several values"),
    ],
)
def test_what_else_a_video_cannot_be(clips, features, says):
    with pytest.raises(DatasetError, match=says):
        tfds_dataset("clips", data_dir=clips["data-source"], **{"image": "video", **features})


def test_videos_in_a_sequence_are_several(tmp_path):
    clips = tfds.features.Sequence({"video": tfds.features.Video(shape=(None, None, None, 3))})
    write_tfds(tmp_path, "many", [{"clips": [{"video": [png(0)]}]}], features={"clips": clips})
    with pytest.raises(DatasetError, match="'clips/video' holds several values for an example; its image should be"):
        tfds_dataset("many", data_dir=tmp_path, image="clips/video", label="")


def test_array_record_needs_no_tensorflow_for_it(clips):
    """The feature of tfds itself would import it."""
    code = """
        import importlib.machinery, sys
        class Broken:
            def find_spec(self, name, path=None, target=None):
                return importlib.machinery.ModuleSpec(name, self) if name == "tensorflow" else None
            def create_module(self, spec):
                raise AssertionError("TensorFlow is imported")
            def exec_module(self, module): ...
        sys.meta_path.insert(0, Broken())
        from lit.datasets import tfds_dataset
        print(*(len(e.image) for e in tfds_dataset("clips", data_dir=sys.argv[1], image="video").examples()))
    """
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), str(clips["data-source"])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [str(len(png(seed))) for seed in (2, 102, 200)]


def test_the_feature_is_the_one_of_tfds():
    """By its name in features.json, and by everything that is stored."""
    theirs = tfds.features.Video(shape=(None, 4, 6, 1), dtype=np.uint16, ffmpeg_extra_args=["-v", "0"])
    ours = Video(shape=(None, 4, 6, 1), dtype=np.uint16, ffmpeg_extra_args=["-v", "0"])
    said = {name: json_format.MessageToDict(feature.to_proto()) for name, feature in ((OURS, ours), (THEIRS, theirs))}
    assert [each.pop("pythonClassName") for each in said.values()] == list(said)
    assert said[OURS] == said[THEIRS]
    again = tfds.features.FeatureConnector.from_json({**said[THEIRS], "pythonClassName": OURS})
    assert type(again) is Video
    assert again.get_tensor_info() == theirs.get_tensor_info()
    assert ours.get_serialized_info() == theirs.get_serialized_info()


@pytest.mark.parametrize(("n", "at"), [(1, 0), (2, 1), (3, 1), (4, 2), (101, 50)])
def test_which_frame(n, at):
    assert middle_frame([bytes([i]) for i in range(n)]) == bytes([at])


@READERS
def test_keys_that_hold_a_slash(tmp_path, reader):
    kinds = tfds.features
    features = {
        "image": kinds.Image(shape=(None, None, 3)),
        "image/filename": kinds.Text(),
        "a": {"b/c": {"d": kinds.Text()}, "e": kinds.Text()},
        "label": kinds.ClassLabel(names=["x"]),
    }
    examples = [
        {"image": png(i), "image/filename": f"f/{i}.png", "a": {"b/c": {"d": f"d{i}"}, "e": f"e{i}"}, "label": 0}
        for i in range(2)
    ]
    write_tfds(tmp_path, "flat", examples, features=features, file_format=FORMATS[reader])

    def opened(**features):
        return tfds_dataset("flat", data_dir=tmp_path, **features)

    assert [(e.id, e.image) for e in opened(identity="image/filename").examples()] == [
        ("f/0.png", png(0)),
        ("f/1.png", png(1)),
    ]
    data = opened(identity="a/b/c/d", captions="a/e")
    assert [(e.id, e.texts) for e in data.examples()] == [("d0", ("e0",)), ("d1", ("e1",))]
    for path in ("image/file", "image/filename/x", "a/b"):
        with pytest.raises(DatasetError, match=f"no feature '{path}' .* it has a/b/c/d, a/e, image, image/filename"):
            opened(identity=path)


def test_names_may_repeat(tmp_path):
    """As file names do that say only `image_0001.jpg` in every class; each shard says the same as the whole."""
    examples = [{"image": png(i), "label": 0, "file_name": "same.png"} for i in range(3)]
    write_tfds(tmp_path, "animals", examples, label_names=["x"])
    data = tfds_dataset("animals", data_dir=tmp_path, identity="file_name")
    assert [(e.id, e.image) for e in data.examples()] == [("same.png", png(i)) for i in range(3)]
    assert [e.image for e in data.examples(1, 2)] == [png(1)]
