"""What holds for the plain spelling of every text."""

import re
import string
import sys

from hypothesis import given
from hypothesis import strategies as st

from lit.prompts import PromptSet, canonicalize

texts = st.text(st.one_of(st.characters(), st.sampled_from(" \t_{}.,-AÉİ")))


@given(texts)
def test_once_is_enough(text):
    once = canonicalize(text)
    assert canonicalize(once) == once
    assert not set(once) & set(string.punctuation)
    assert once == once.strip()


@given(texts, st.sampled_from(["", "{}", ","]))
def test_it_is_the_published_formula(text, keep):
    """In big_vision white space is a regular expression's."""
    plain = text.replace("_", " ")
    parts = plain.split(keep) if keep else [plain]
    without = keep.join(part.translate(str.maketrans("", "", string.punctuation)) for part in parts)
    assert canonicalize(text, keep=keep) == re.sub(r"\s+", " ", without.lower()).strip()


def test_every_white_space_is_a_space():
    spaces = re.findall(r"\s", "".join(map(chr, range(sys.maxunicode + 1))))
    assert len(spaces) > 20
    assert {canonicalize(f"{space}a{space}{space}b{space}") for space in spaces} == {"a b"}


@given(texts)
def test_a_kept_placeholder_stays_as_often_as_it_was(text):
    assert canonicalize(text, keep="{}").count("{}") == text.replace("_", " ").count("{}")


@given(texts, texts, st.text())
def test_a_class_name_is_inserted_as_it_is(before, after, name):
    template = before.replace("{", "").replace("}", "") + "{}" + after.replace("{", "").replace("}", "")
    (text,) = PromptSet(name="one", templates=(template,)).format(name)
    assert text == template.partition("{}")[0] + name + template.partition("{}")[2]
