"""The corpus on a small scale: what is held out stays out, the files open in lit, and a second run writes the same."""

import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lit.datasets import open_dataset

RECIPE = Path(__file__).parents[3] / "eval" / "corpus"


@pytest.fixture(autouse=True)
def recipe(monkeypatch):
    """Lets a test import the scripts of eval/corpus, which are not a package."""
    monkeypatch.syspath_prepend(str(RECIPE.parent / "embedded"))
    monkeypatch.syspath_prepend(str(RECIPE))


def _entry(order, symbol, label, group=3, tags=()):
    return {
        "emoji": symbol, "hexcode": f"{ord(symbol[0]):X}", "label": label, "tags": list(tags), "group": group,
        "subgroup": 1, "order": order,
    }  # fmt: skip


def _known():
    import concepts

    emoji = [
        _entry(1, "🦀", "crab", tags=["sea", "claw", "cancer", "beach", "sand", "shell"]),
        _entry(2, "🐅", "tiger", tags=["zoo", "stripes", "orange", "predator", "wild", "jungle"]),
        _entry(3, "🐯", "tiger face", tags=["zoo", "animal", "head", "whiskers", "ears"]),
        _entry(4, "🐞", "lady beetle", tags=["insect", "spots", "garden", "like a tiger", "wings"]),
        _entry(5, "☀️", "sun", group=2, tags=["hot", "weather", "bright", "yellow"]),
        _entry(6, "🏻", "light skin tone", group=9),
        {"emoji": "🇦", "hexcode": "1F1E6", "label": "regional indicator A"},
    ]
    messages = {
        "groups": [{"order": 2, "message": "travel & places"}, {"order": 3, "message": "animals & nature"},
                   {"order": 9, "message": "components"}],
        "subgroups": [{"order": 1, "message": "land / sea"}],
    }  # fmt: skip
    return concepts.assembled(
        emoji=emoji,
        messages=messages,
        shortcodes=[{"1F41E": ["ladybug", "beetle"], "1F405": "tiger2", "1F980": "+1"}],
        keywords={"🦀": ["crab", "crustacean", ":)", "10"]},
        plain={"🦀": {"name": "Crab"}, "☀️": {"name": "sun"}},
        cldr={"🐞": {"default": ["ladybird"], "tts": ["lady beetle"]}},
    )


def _png(seed):
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 32, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="PNG")
    return out.getvalue()


def _rows(known, held):
    """Each concept by two hands, one of them held out; clip art of one held-out concept and of something else."""
    import assemble
    import clipart
    from drawings import Drawing

    pictures = [
        Drawing(style, f"{concept.id}{twin}", _png([ord(style[0]), i, len(twin)]), concept.id)
        for style in ("noto", "fluent-3d")
        for i, concept in enumerate(known)
        for twin in ("", "-2")
    ]
    pictures.append(Drawing("noto", "again", _png([ord("n"), 0, 0]), known[3].id))  # the pixels of the first
    clips = [
        clipart.Clip(Drawing("openclipart", "toys--a tiger!", _png(1)), ("paper Tigers",), ("toy",)),
        clipart.Clip(Drawing("openclipart", "toys--car", _png(2)), ("car", "red car, toy"), ("toy",)),
        clipart.Clip(Drawing("openclipart", "nothing", _white()), ("snow",), ()),
    ]
    return [*assemble.emoji_rows(pictures, known, held), *assemble.clip_rows(clips)]


def _white():
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(out, format="PNG")
    return out.getvalue()


@pytest.fixture
def made(tmp_path, monkeypatch):
    """(folder, summary, concepts, held) of a corpus that holds out the tigers."""
    import assemble

    monkeypatch.setattr(assemble.importlib.metadata, "version", lambda name: "1")  # resvg need not be there
    known = _known()
    held = {concept.id for concept in known if "tiger" in concept.name}
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder, assemble.assemble(known, _rows(known, held), held, folder), known, held


def _lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_tables_become_concepts():
    crab, tiger, _, beetle, sun = _known()
    assert (crab.id, crab.name, crab.aliases) == ("1f980", "crab", ())
    assert crab.keywords == ("beach", "cancer", "claw", "crustacean", "sand", "sea", "shell")  # no ":)", "10"
    assert beetle.aliases == ("ladybug", "beetle")
    assert "ladybug" in beetle.slugs
    assert (sun.id, sun.group, sun.subgroup) == ("2600", "travel & places", "land sea")
    assert tiger.aliases == ()  # "tiger2" is no word


def test_alias_of_two_concepts_is_nobodys():
    import concepts

    twins = [concepts.Concept(id=str(i), name=name, aliases=("cat",)) for i, name in enumerate(("lynx", "puma"))]
    assert [c.aliases for c in concepts._without_shared_aliases(twins)] == [(), ()]


def test_no_caption_of_a_test_is_trained_on(made):
    from lit.prompts import canonicalize

    folder, summary, *_ = made
    train = _lines(folder / "train.jsonl")
    known = {canonicalize(text) for row in train for text in row["text"]}
    for name in ("style.jsonl", "concepts.jsonl"):
        texts = {canonicalize(text) for row in _lines(folder / name) for text in row["text"]}
        assert texts
        assert not texts & known
    assert not any("tiger" in text.lower() for row in train for text in (*row["text"], *row["tags"]))
    assert {row["style"] for row in train} == {"noto", "openclipart"}
    assert {row["style"] for row in _lines(folder / "style.jsonl")} == {"fluent-3d"}
    assert summary["compared_and_found_apart"]["training captions"] == len(known)


def test_what_is_left_out_is_counted(made):
    _, summary, *_ = made
    assert summary["left_out"] == {
        "train: cannot be drawn: nothing is to be seen": 1,
        "train: clip art that mentions a held-out concept": 1,
        "train: single captions that a test has, or that mention a held-out concept": 0,
        "train: the same pixels as another picture": 1,
    }
    assert summary["splits"]["train"]["by_style"] == {"noto": 6, "openclipart": 1}
    assert summary["splits"]["concepts"] == {
        "pictures": 8, "captions": 8 * len(_unseen(made)) // 2, "distinct_captions": len(_unseen(made)), "concepts": 2,
        "by_style": {"fluent-3d": 4, "noto": 4},
    }  # fmt: skip


def _unseen(made):
    return {text for row in _lines(made[0] / "concepts.jsonl") for text in row["text"]}


def test_captions_that_mention_a_held_out_concept_are_taken_from_training():
    import assemble

    rows = [
        ({"id": "a", "split": "train", "text": ["beetle", "like a Tiger"], "tags": ["tigers"], "concept": "1"}, None),
        ({"id": "b", "split": "train", "text": ["tiger"], "tags": [], "concept": "2"}, None),
        ({"id": "c", "split": "train", "text": ["The moon"], "tags": [], "concept": "3"}, None),
        ({"id": "d", "split": "style", "text": ["the moon!"], "tags": [], "concept": "3"}, None),
    ]
    left_out = Counter()
    kept = assemble.without_leaks(rows, ["tiger"], left_out)
    assert [(row["id"], row["text"], row["tags"]) for row, _ in kept] == [
        ("d", ["the moon!"], []),
        ("a", ["beetle"], []),
    ]
    assert left_out == {
        "train: single captions that a test has, or that mention a held-out concept": 3,
        "train: no caption is left": 2,
    }


def test_lit_opens_the_manifests(made):
    folder, _, known, _ = made
    whole = open_dataset(folder / "concepts.jsonl")
    assert whole.label_names == ("tiger", "tiger face")
    alone = open_dataset(folder / "concepts-noto.jsonl")
    assert alone.label_names is None
    assert len(alone) == 2  # the second drawing of a concept would be as right as the first
    example = next(open_dataset(folder / "train.jsonl").examples())
    assert example.texts[0] in {concept.name for concept in known}
    with Image.open(example.image) as picture:
        assert (picture.format, picture.size) == ("WEBP", (224, 224))


def test_a_second_run_writes_the_same_bytes(made, tmp_path):
    import assemble

    folder, _, known, held = made
    again = tmp_path / "again"
    again.mkdir()
    assemble.assemble(known, _rows(known, held)[::-1], held, again)  # the order of the sources does not matter
    files = sorted(path.relative_to(folder) for path in folder.rglob("*.*"))
    assert files == sorted(path.relative_to(again) for path in again.rglob("*.*"))
    assert [path for path in files if (folder / path).read_bytes() != (again / path).read_bytes()] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": ["A CRAB."]}, r"style, s: 'a crab' is a caption of t"),
        ({"text": ["beach with tigers"]}, "'beach with tigers' names a held-out concept"),
        ({"tags": ["Tiger"]}, "'Tiger' names a held-out concept"),
        ({"concept": "9"}, "t: its concept 9 is held out"),
        ({"pixels": "ps"}, "style, s: the same pixels"),
        ({"style": "fluent"}, "style, s: style fluent is trained on"),
        ({"id": "s"}, "style, s: is in the training part"),
    ],
)
def test_check_finds_each_kind_of_leak(change, message):
    import holdout

    train = {"id": "t", "text": ["a beach"], "tags": ["sea"], "style": "noto", "concept": "1", "pixels": "pt"}
    tests = {"style": [{"id": "s", "text": ["a crab"], "style": "fluent", "concept": "1", "pixels": "ps"}]}
    apart = holdout.check([train], tests, held={"9"}, unseen_names=["tiger"])
    assert apart == {"training captions": 1, "test captions": 1, "held-out names": 1}
    with pytest.raises(holdout.LeakError, match=message):
        holdout.check([{**train, **change}], tests, held={"9"}, unseen_names=["tiger"])


def test_concepts_are_held_out_with_those_named_after_them():
    import holdout

    known = _known()
    names = {concept.id: concept.name for concept in known}
    for count in range(1, len(known) + 1):
        held = {names[key] for key in holdout.held_out(known, count)}
        assert len(held) >= count
        assert ("tiger" not in held) or ("tiger face" in held)
    assert holdout.held_out(known, 2) == holdout.held_out(known[::-1], 2)


def test_a_concept_that_many_are_named_after_is_not_held_out():
    import holdout
    from concepts import Concept

    names = ("cat", "cat one", "cat two", "cats three", "dog")
    known = [Concept(id=name, name=name, group="objects") for name in names]
    held = holdout.held_out(known, 5)
    assert "cat" not in held
    assert {"dog", "cat one", "cat two", "cats three"} == held
    flags = [Concept(id="x", name="flag: Tiger", group="flags"), Concept(id="y", name="tiger", group="objects")]
    assert holdout.held_out(flags, 2) == set()  # the flag would stay, and name it


@pytest.mark.parametrize(
    ("text", "words"),
    [("Lady-Beetles!", "lady beetle"), ("a_glass", "a glass"), ("gas", "gas"), ("cat/dog  (red)", "cat dog red")],
)
def test_words_are_compared_without_punctuation_and_plural(text, words):
    import holdout

    assert holdout.words(text) == words


def test_keywords_alone_are_a_caption_only_where_they_tell_apart():
    import captioning
    from concepts import Concept

    flags = [
        Concept(id=str(i), name=f"flag: {x}", keywords=("banner",) * 1, subgroup="f", group="g")
        for i, x in enumerate("ab")
    ]
    said = captioning.captions(flags)
    assert said["0"].training == ("flag: a", "flag: a, f")
    assert said["0"].testing == ("flag: a, banner", "g: flag: a")
    crab = captioning.captions(_known())["1f980"]
    assert len(crab.training) == 4
    assert crab.training[-1].count(",") == 2
    assert not {captioning.canonicalize(t) for t in crab.training} & {captioning.canonicalize(t) for t in crab.testing}


def test_icons_are_joined_by_code_point_or_by_name():
    import drawings

    known = _known()
    icons = {
        name: {"body": f"<g id='{name}'/>"} for name in ("a", "b", "ladybug", "lady-beetle-2", "tigerface", "other")
    }
    by_code = drawings.iconify(
        "s", {"icons": icons, "width": 32, "height": 32}, {"1f980": "a", "2600-fe0f": "b"}, known
    )
    assert [(d.name, d.concept) for d in by_code] == [("a", "1f980"), ("b", "2600")]
    by_name = list(drawings.iconify("s", {"icons": icons, "width": 32, "height": 16}, {}, known))
    assert [(d.name, d.concept) for d in by_name] == [
        ("lady-beetle-2", "1f41e"), ("ladybug", "1f41e"), ("tigerface", "1f42f"),
    ]  # fmt: skip
    assert 'viewBox="0 0 32 16"><g id=' in by_name[0].source


def _clip(title, keywords=(), author="Gerald G.", licence="http://web.resource.org/cc/PublicDomain"):
    bag = "".join(f"<rdf:li>{keyword}</rdf:li>" for keyword in keywords)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:dc="http://purl.org/dc/elements/1.1/"
      xmlns:cc="http://web.resource.org/cc/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><metadata><cc:Work>
      <dc:title>{title}</dc:title><dc:subject><rdf:Bag>{bag}</rdf:Bag></dc:subject>
      <dc:creator><cc:Agent><dc:title>{author}</dc:title></cc:Agent></dc:creator>
      <cc:license rdf:resource="{licence}"/></cc:Work></metadata></svg>""".encode()


def test_clip_art_is_described_by_its_maker():
    import clipart

    files = [
        ("animals/bunny_gerald_g._01", _clip("Bunny", ["mammal", "hash", "gerald"])),
        ("a/gpl", _clip("Bunny", licence="http://creativecommons.org/licenses/GPL/2.0/")),
        ("a/broken", b"<svg"),
        *((f"shapes/star_{i}", _clip("gramastar", ["magick"])) for i in range(9)),
    ]
    bunny, *stars = clipart.read(files)
    assert bunny.captions == ("bunny", "bunny, mammal, animals", "mammal, animals")
    assert (bunny.tags, bunny.drawing.name) == (("mammal", "animals"), "animals--bunny_gerald_g._01")
    assert [star.captions for star in stars] == [("star",)] * 2  # not nine; named by the file, not by the collection


def test_debian_archives_are_read(tmp_path):
    import lzma
    import tarfile

    import packages

    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as t:
        for name in ("usr/a.svg", "usr/b.txt"):
            entry = tarfile.TarInfo(name)
            entry.size = 3
            t.addfile(entry, io.BytesIO(b"one"))
    parts = [("debian-binary", b"2.0"), ("data.tar.xz", lzma.compress(tar.getvalue()))]  # 2.0: odd, so padded
    deb = b"!<arch>\n" + b"".join(
        f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
        for name, data in parts
    )
    path = tmp_path / "a.deb"
    path.write_bytes(deb)
    assert list(packages.debian_files(path, ".svg")) == [("usr/a.svg", b"one")]
    path.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="is no Debian package"):
        list(packages.debian_files(path, ".svg"))


def test_drawings_stand_on_white_in_the_middle():
    import raster

    red = io.BytesIO()
    Image.new("RGBA", (40, 20), (255, 0, 0, 255)).save(red, format="PNG")
    picture = raster.rendered(red.getvalue(), 8)
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    assert picture.getpixel((0, 4)) == (255, 0, 0)
    assert picture.size == (8, 8)


def test_empty_margins_are_trimmed():
    import raster

    page = Image.new("RGB", (90, 60), "white")
    page.paste((0, 0, 255), (50, 10, 60, 20))
    out = io.BytesIO()
    page.save(out, format="PNG")
    assert np.unique(np.asarray(raster.rendered(out.getvalue(), 8, trim=True)).reshape(-1, 3), axis=0).tolist() == [
        [0, 0, 255]
    ]
    with pytest.raises(raster.RenderError, match="nothing is to be seen"):
        raster.rendered(_white(), 8, trim=True)


def test_svgs_are_drawn_whatever_their_unit_and_shape():
    pytest.importorskip("resvg_py")
    import raster

    for size in ('width="20pt" height="40pt"', 'viewBox="0 0 20 40"', 'width="40mm" height="10mm"'):
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><rect width="900" height="900" fill="#00f"/></svg>'
        picture = raster.rendered(svg, 16)
        assert picture.size == (16, 16)
        assert picture.getpixel((8, 8)) == (0, 0, 255)
        assert picture.getpixel((0, 0)) == (255, 255, 255)
    with pytest.raises(raster.RenderError):
        raster.rendered("<svg", 16)


def test_another_folder_is_not_replaced(tmp_path):
    import assemble

    (tmp_path / "mine").mkdir()
    with pytest.raises(ValueError, match="there already"), assemble.in_place_of(tmp_path / "mine", overwrite=False):
        pass
    with pytest.raises(ValueError, match="no corpus"), assemble.in_place_of(tmp_path / "mine", overwrite=True):
        pass
    with pytest.raises(KeyError), assemble.in_place_of(tmp_path / "new", overwrite=False):
        raise KeyError("cut off")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    with assemble.in_place_of(tmp_path / "new", overwrite=False) as folder:
        (folder / "summary.json").write_text("{}")
    with assemble.in_place_of(tmp_path / "new", overwrite=True) as folder:
        (folder / "other").touch()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["other"]
