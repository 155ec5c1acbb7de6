"""Which figures may stand side by side."""

import pytest
import reports

from lit.report import compare_seals


def test_the_same_measurement():
    a = reports.seal()
    said = compare_seals(a, reports.seal())
    assert said.comparable
    assert said.identical
    assert not said.differences
    assert a.hash[:12] in said.sentence


def test_models_are_what_is_compared():
    said = compare_seals(reports.seal(), reports.seal(model={"weights": "LiT-L16L.npz"}))
    assert said.comparable
    assert not said.identical
    assert said.differences == {"model": (("weights", "LiT-B16B_2.npz, sha256 bfa2f6c2b0e1", "LiT-L16L.npz"),)}
    assert said.sentence == (
        "Comparable: the same data and protocol; the models differ in weights "
        "(LiT-B16B_2.npz, sha256 bfa2f6c2b0e1 / LiT-L16L.npz)."
    )


def test_software_forbids_nothing_and_is_told():
    said = compare_seals(reports.seal(), reports.seal(software={"jax": "0.12.0"}))
    assert said.comparable
    assert not said.identical
    assert "the software differs in jax (0.11.1 / 0.12.0)" in said.sentence
    both = compare_seals(reports.seal(), reports.seal(software={"jax": "0.12.0"}, model={"precision": "bfloat16"}))
    assert both.sentence.startswith("Comparable")
    assert "precision (float32 / bfloat16)" in both.sentence
    assert "jax (0.11.1 / 0.12.0)" in both.sentence


@pytest.mark.parametrize("group", ["data", "protocol"])
def test_data_and_protocol_forbid(group):
    factor = {"data": "split", "protocol": "templates"}[group]
    said = compare_seals(reports.seal(), reports.seal(**{group: {factor: "other"}, "model": {"crop": "centre"}}))
    assert not said.comparable
    assert said.sentence.startswith(f"Not comparable: the {group} differs in {factor} (")
    assert set(said.differences) == {group, "model"}


def test_a_factor_that_one_seal_lacks_is_a_difference():
    for a, b in ((reports.seal(), reports.seal(data={"subset": "200"})),):
        assert compare_seals(a, b).differences["data"] == (("subset", "(not stated)", "200"),)
        assert compare_seals(b, a).differences["data"] == (("subset", "200", "(not stated)"),)
        assert not compare_seals(a, b).comparable
    stated = reports.seal(data={"subset": "(not stated)"})
    assert not compare_seals(reports.seal(), stated).comparable


def test_the_content_of_the_data_decides():
    """The same images and labels under another name, in another place."""
    here = reports.seal(data={"content": "sha256 12", "source": "local files", "dataset": "pictures"})
    there = reports.seal(data={"content": "sha256 12", "source": "local files", "dataset": "copy", "split": "all"})
    said = compare_seals(here, there)
    assert said.comparable
    assert not said.identical
    assert [row[0] for row in said.differences["data"]] == ["dataset", "split"]
    assert said.sentence == (
        "The same model and protocol. The data have the same content and differ in dataset (pictures / copy), "
        "split (test / all)."
    )
    model = compare_seals(here, type(there)(**{**vars(there), "model": {**there.model, "crop": "centre"}}))
    assert model.sentence.startswith("Comparable: the same data and protocol; the models differ in crop")
    assert "differ in dataset (pictures / copy)" in model.sentence
    others = [
        compare_seals(here, reports.seal(data={**here.data, "content": "sha256 13"})),
        compare_seals(here, reports.seal(data=dict(there.data), protocol={"templates": "other"})),
    ]
    assert not any(other.comparable for other in others)
    assert others[1].sentence.startswith("Not comparable: the protocol differs in templates (")


def test_long_values_are_cut_in_the_sentence_only():
    long = "x" * 500
    said = compare_seals(reports.seal(), reports.seal(protocol={"names": long}))
    assert said.differences["protocol"][0][2] == long
    assert len(said.sentence) < 250


def test_the_hash_is_over_everything_and_not_over_order():
    a = reports.seal()
    again = type(a)(**{g: dict(reversed(getattr(a, g).items())) for g in ("data", "protocol", "model", "software")})
    assert again.hash == a.hash
    for group in ("data", "protocol", "model", "software"):
        assert reports.seal(**{group: {"x": "y"}}).hash != a.hash
