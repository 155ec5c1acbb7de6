import pytest

from lit.errors import InputError
from lit.images import find_images


@pytest.fixture
def folder(tmp_path):
    for name in ("b.jpg", "a.PNG", "notes.txt", ".hidden.jpg", "sub/c.webp", "sub/deep/d.jpeg", ".git/e.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "photos"


def names(paths, folder):
    return [p.relative_to(folder).as_posix() for p in paths]


def test_folders_are_walked_in_sorted_order(folder):
    assert names(find_images([folder]), folder) == ["a.PNG", "b.jpg", "sub/c.webp", "sub/deep/d.jpeg"]
    assert find_images(str(folder)) == find_images([folder])


def test_files_are_taken_as_given(folder):
    given = [folder / "notes.txt", folder / ".hidden.jpg", folder / "b.jpg"]
    assert find_images(given) == given


def test_nothing_comes_twice(folder):
    found = names(find_images([folder / "b.jpg", folder, folder / "sub"]), folder)
    assert found == ["b.jpg", "a.PNG", "sub/c.webp", "sub/deep/d.jpeg"]


def test_links_that_lead_in_circles(folder):
    (folder / "sub" / "up").symlink_to(folder, target_is_directory=True)
    assert names(find_images([folder]), folder) == ["a.PNG", "b.jpg", "sub/c.webp", "sub/deep/d.jpeg"]


def test_a_broken_link_is_listed_so_that_reading_it_reports_it(folder):
    (folder / "z.jpg").symlink_to(folder / "gone.jpg")
    assert names(find_images([folder]), folder)[-1] == "z.jpg"


def test_all_missing_paths_in_one_error(folder):
    with pytest.raises(InputError, match=r"no such file or folder: .*x\.jpg, .*y"):
        find_images([folder / "x.jpg", folder, folder / "y"])


def test_nothing_found_says_what_was_looked_for(tmp_path):
    with pytest.raises(InputError, match=r"no images in .*; looked for files that end in .*\.jpg"):
        find_images([tmp_path])
    with pytest.raises(InputError, match="an empty list of paths"):
        find_images([])


def test_unreadable_folder(folder, monkeypatch):
    from pathlib import Path

    def deny(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", deny)
    with pytest.raises(InputError, match=r"photos cannot be read: Permission denied"):
        find_images([folder])
