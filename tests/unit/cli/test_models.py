"""The table of models says what the table in `lit.zoo` says."""

import pytest
from tiny import tiny_config

from lit import zoo
from lit.cli.model_table import image_tower, row_of, table_of, text_tower
from lit.cli.models import card_of
from lit.cli.saved import parameter_count
from lit.config import BertConfig, TextTransformerConfig, ViTConfig
from lit.errors import CheckpointError, UnknownNameError
from lit.nn import two_towers


def test_a_released_model():
    row = row_of("LiT-B16B_2")
    assert (row.image, row.text, row.dim, row.parameters) == ("ViT-B/16", "BERT base", 768, 195_280_897)
    assert row.published["ImageNet zero-shot top-1"] == 0.739
    assert row.files == "not here"
    assert row.licence == "Apache-2.0"


@pytest.mark.parametrize("name", zoo.MODELS)
def test_the_first_source_of_a_number_counts(name):
    for number in reversed(zoo.MODELS[name].published):
        first = number
        assert row_of(name).published[first.metric] is not None
    if zoo.MODELS[name].published:
        assert next(iter(row_of(name).published.values())) == zoo.MODELS[name].published[0].value


def test_files_in_the_cache_are_seen():
    from lit.files import cache_directory

    for file in (zoo.MODELS["LiT-L16S"].weights, zoo.MODELS["LiT-L16S"].vocab):
        assert row_of("LiT-L16S").files == "not here"
        path = cache_directory() / "models" / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    assert row_of("LiT-L16S").files == "cached"


def test_a_saved_model(tiny_bundle):
    row = row_of(str(tiny_bundle))
    shapes = two_towers.param_shapes(tiny_config())
    assert row.files == "here"
    assert row.parameters == sum(_size(shape) for shape in shapes.values()) == parameter_count(tiny_bundle)
    assert card_of(str(tiny_bundle)).startswith("# tiny")


def _size(shape):
    size = 1
    for side in shape:
        size *= side
    return size


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'LiT-L16L'"):
        row_of("lit-l16l")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="holds no saved model"):
        row_of(str(tmp_path))


def test_towers_have_their_usual_names():
    assert image_tower(ViTConfig.of_size("L/16")) == "ViT-L/16"
    assert image_tower(ViTConfig.of_size("mu/8", image_size=32)) == "ViT-32/8"
    assert text_tower(BertConfig.of_size("large")) == "BERT large"
    assert text_tower(BertConfig.of_size("minilm-6x384")) == "BERT 6x384"
    assert text_tower(TextTransformerConfig.of_size("Ti", vocab_size=100)) == "text transformer Ti"


@pytest.mark.parametrize("width", [40, 76, 80, 116, 200])
def test_the_table_fits_its_terminal_and_shows_every_model(width):
    import io

    from rich.console import Console

    out = io.StringIO()
    rows = [row_of(name) for name in zoo.MODELS]
    Console(file=out, width=width).print(table_of(rows, width))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    for row in rows:
        assert [line for line in lines if line.startswith(row.name + " ")]
    assert ("Apache-2.0" in out.getvalue()) is (width >= 116)
    assert "73.9 %" in out.getvalue()
