"""Suites from TOML: the fields, the defaults, and everything that is wrong, at once."""

import dataclasses

import pytest

from lit import resources
from lit.errors import ConfigError, PromptError, UnknownNameError
from lit.prompts import load_classes
from lit.suites import Expected, Suite, label_lists, load_labels, load_suite, suite_names

SMALL = 'title = "Small"\nclasses = "cifar10"\nprompts = "plain"\n'


@pytest.fixture
def written(tmp_path):
    def write(text: str, name: str = "mine.toml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def wrong(path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_suite(path)
    return str(caught.value)


def test_a_published_suite_by_name():
    suite = load_suite("cifar100")
    assert (suite.name, suite.dataset, suite.split, suite.train_split) == ("cifar100", "cifar100", "test", "train")
    assert (suite.classes, suite.labels, suite.prompts, suite.protocol) == (
        "cifar100",
        "cifar100",
        "clip-cifar",
        "clip",
    )
    assert suite.expected[-1].model == "LiT-L16L"
    assert suite.expected[-1].value == 0.805


def test_defaults_are_those_of_the_record(written):
    expected = Suite(name="mine", title="Small", classes="cifar10", prompts="plain")
    assert load_suite(written(SMALL)) == expected
    assert load_suite(str(written(SMALL))) == expected


def test_every_field_can_be_written(written):
    """The one test that fails when the record gets a field that the loader does not know."""
    text = """
title = "All"
task = "classification"
dataset = "imagenet_a/x"
split = "test[:10]"
train_split = "train"
image = "picture"
label = "labels"
identity = "file"
captions = "captions/text"
captions_per_image = 5
classes = "imagenet-a"
labels = "imagenet-a"
prompts = "clip-paper"
protocol = "big-vision"
resize = "crop"
metric = "mean_per_class"
any_hit = true
subset = true
notes = ["one", "two"]
source = "a paper"
[repaired]
3 = "another name"
[[expected]]
model = "LiT-B16B"
metric = "top1"
value = 1
source = "a table"
protocol = "clip"
"""
    suite = load_suite(written(text))
    assert suite.repaired == {3: "another name"}
    assert suite.expected == (Expected(model="LiT-B16B", metric="top1", value=1.0, source="a table", protocol="clip"),)
    assert isinstance(suite.expected[0].value, float)
    default = Suite(name="", title="")
    same = [f.name for f in dataclasses.fields(Suite) if getattr(suite, f.name) == getattr(default, f.name)]
    assert same == ["task"]


def test_an_unknown_suite_is_met_with_the_right_one():
    with pytest.raises(
        UnknownNameError, match=r"unknown suite 'cifar-100'. Did you mean 'cifar100'\?.*A path to a TOML"
    ):
        load_suite("cifar-100")
    with pytest.raises(ConfigError, match=r"there is no suite at .*gone\.toml.*cifar10"):
        load_suite("gone.toml")
    with pytest.raises(UnknownNameError):
        load_suite("x" * 5000)


def test_no_toml_no_suite(written):
    assert "is not TOML" in wrong(written("title = \n"))
    path = written("")
    path.write_bytes(b'title = "\xff"')
    assert "is not TOML" in wrong(path)


def test_a_misspelt_key_is_named_with_the_right_one(written):
    said = wrong(written(SMALL + 'protokol = "clip"\n'))
    assert "unknown key 'protokol'. Did you mean 'protocol'?" in said


def test_all_problems_at_once(written):
    said = wrong(
        written(
            'tilte = "x"\ntask = "ranking"\nany_hit = 1\ncaptions_per_image = true\nsplit = 3\nnotes = "one"\n'
            'protocol = "CLIP"\n[repaired]\nx = "y"\n7 = 8\n[[expected]]\nmodel = "m"\nvalue = "73.9"\n'
        )
    )
    for part in (
        "'title' is missing",
        "unknown key 'tilte'. Did you mean 'title'?",
        "task is 'ranking'; it must be one of 'classification', 'retrieval'",
        "any_hit is 1; it must be true or false",
        "captions_per_image is True; it must be a whole number",
        "split is 3; it must be text in quotes",
        "notes is not a list of texts",
        "protocol is 'CLIP'; it must be one of 'clip', 'big-vision', 'lit-colab'",
        "repaired: x = 'y' is not class position = name",
        "repaired: 7 = 8 is not class position = name",
        "expected 1: 'metric' is missing",
        "expected 1: 'source' is missing",
        "expected 1: value is '73.9'; it must be a number",
    ):
        assert part in said, part


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('metric = "top5"\n', "metric is 'top5'; for classification it is one of 'top1', 'mean_per_class'"),
        ("captions_per_image = -1\n", "captions_per_image is -1"),
        ('labels = "imagenet"\n', "10 classes but 1000 labels"),
        ('labels = "imagnet"\n', "labels: unknown list of labels 'imagnet'. Did you mean 'imagenet'?"),
        ('[repaired]\n10 = "x"\n', "repaired: 10 is no position among 10 classes (0 to 9)"),
        ('[[expected]]\nmodel = "m"\nmetric = "top1"\nvalue = 73.9\nsource = "s"\n', "write a fraction"),
        ('[[expected]]\nmodel = "m"\nmetric = "top1"\nvalue = 0.7\nsource = ""\n', "expected 1: 'source' is empty"),
        ("expected = 3\n", "begin each with [[expected]]"),
        ("repaired = 3\n", "repaired is not a table"),
    ],
)
def test_what_cannot_be_so(written, more, said):
    assert said in wrong(written(SMALL + more))


@pytest.mark.parametrize("field", ["classes", "prompts"])
def test_classification_needs_its_lists(written, field):
    lines = [line for line in SMALL.splitlines() if not line.startswith(field)]
    assert f"classification needs '{field}'" in wrong(written("\n".join(lines)))
    assert f"{field}: unknown" in wrong(written("\n".join([*lines, f'{field} = "nowhere"'])))


def test_retrieval_has_captions_and_no_classes(written):
    head = 'title = "R"\ntask = "retrieval"\nmetric = "image_to_text_r1"\n'
    assert load_suite(written(head + 'captions = "captions"\n')).captions == "captions"
    assert "retrieval needs 'captions'" in wrong(written(head))
    said = wrong(written(head + 'captions = "c"\nclasses = "cifar10"\nsubset = true\n'))
    assert "retrieval has no 'classes'" in said
    assert "retrieval has no 'subset'" in said
    assert "for retrieval it is one of" in wrong(written('title = "R"\ntask = "retrieval"\ncaptions = "c"\n'))


def test_lists_lie_beside_your_own_suite(written, monkeypatch, tmp_path_factory):
    written("cat\ndog\n", "animals.txt")
    written("felis\ncanis | canis lupus\n", "latin.txt")
    written("a {}.\n", "words.txt")
    path = written('title = "Mine"\nclasses = "animals.txt"\nlabels = "latin.txt"\nprompts = "words.txt"\n')
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    suite = load_suite(path)
    assert load_classes(suite.classes) == ("cat", "dog")
    assert load_labels(suite.labels) == (("felis",), ("canis", "canis lupus"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\nb\na\n", "line 3: label 'a' is in line 1, too"),
        ("a | b\nb\n", "line 2: label 'b' is in line 1, too"),
        ("a |  | b\n", "line 1: a name is empty"),
        ("# x\n", "holds no entry"),
    ],
)
def test_labels_that_cannot_be_used(written, text, said):
    with pytest.raises(PromptError, match=said):
        load_labels(written(text, "l.txt"))


def test_an_unknown_list_of_labels():
    with pytest.raises(UnknownNameError, match="Did you mean 'imagenet'"):
        load_labels("imagnet")
    assert "imagenet" in label_lists()


def test_names_are_sorted_and_are_the_files():
    names = suite_names()
    assert list(names) == sorted(names)
    assert set(names) == {path.stem for path in resources.directory("suites").glob("*.toml")}


def test_the_example_in_the_readme_is_a_suite(written):
    text = (resources.directory("suites") / "README.md").read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    suite = load_suite(written(example, "cifar100.toml"))
    published = load_suite("cifar100")
    for field in ("dataset", "split", "train_split", "classes", "labels", "prompts", "protocol", "identity"):
        assert getattr(suite, field) == getattr(published, field), field
    assert suite.expected[0] in published.expected
