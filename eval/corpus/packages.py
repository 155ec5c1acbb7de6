"""The archives that the corpus is made of, pinned: drawings with their licences, and the words for them.

Share-alike drawings (OpenMoji, Emoji One 1) are left out: whoever passes the corpus on, or a picture of it in a page,
would have to pass all of it on under their licence.  So are the emoji of Apple and Facebook, which are not free.
"""

import lzma
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "embedded"))
from assets import EMOJI, EMOJI_NAMES, Package
from assets import fetch as fetch_package


def _iconify(name: str, version: str, licence: str, sha256: str) -> Package:
    return Package("npm", f"@iconify-json/{name}", version, f"iconify-json-{name}-{version}.tgz", sha256, licence)


NOTO = _iconify("noto", "1.2.9", "Apache-2.0", "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad")
NOTO_OLD = _iconify(
    "noto-v1", "1.2.5", "Apache-2.0", "2bf62c26c2c2884aa99e90aec942cdaee17a5921f05690694f4978ad4b017c37"
)
TWEMOJI = _iconify("twemoji", "1.2.5", "CC-BY-4.0", "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7")
EMOJIONE = _iconify(
    "emojione", "1.2.3", "CC-BY-4.0", "26a14f44284407e8bcde91799388dca2bfd91dbcd55a97f425524a1c5b73610e"
)
FXEMOJI = _iconify("fxemoji", "1.2.2", "Apache-2.0", "f3e72b3c59d05e1db03b7e308d55c0d05bd7ba3f625a90da1b79313c12858eef")
STREAMLINE = _iconify(
    "streamline-emojis", "1.2.4", "CC-BY-4.0", "5dac87c876b322500989828c5823143e0100d78881627a2e4081a4b897cbfdbc"
)
FLUENT_FLAT = _iconify(
    "fluent-emoji-flat", "1.2.6", "MIT", "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175"
)
FLUENT_3D = EMOJI
EMOJIBASE = Package(
    "npm",
    "emojibase-data",
    "17.0.0",
    "emojibase-data-17.0.0.tgz",
    "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a",
    "MIT",
)
EMOJILIB = Package(
    "npm",
    "emojilib",
    "4.0.3",
    "emojilib-4.0.3.tgz",
    "7f9a6b43cff31d18985b7d65d11faba5bd971cbcc60020cf6d09322fbaaaf303",
    "MIT",
)
CLDR = Package(
    "npm",
    "cldr-annotations-full",
    "48.2.0",
    "cldr-annotations-full-48.2.0.tgz",
    "28576e51225deb51e3ddd734b0f824a0079682cb5d8c27faa9f68149317a14d1",
    "Unicode-3.0",
)
OPENCLIPART = Package(
    "debian",
    "openclipart-svg",
    "1:0.18+dfsg-19",
    "openclipart-svg_0.18+dfsg-19_all.deb",
    "989712d90d57dfa3230049f553bb43b76c30ee4d4b8c5f6e106e33f7db5cbdc5",
    "public domain",
)
WORDS = (EMOJIBASE, EMOJILIB, EMOJI_NAMES, CLDR)


def fetch(package: Package, folder: Path) -> Path:
    """Path of the verified archive, downloaded with npm, pip or apt-get if it is not there yet.

    Raises:
      ValueError: the archive is not the one that this recipe was written for.
    """
    if package.registry == "debian" and not (folder / package.archive).exists():
        _download_debian(package, folder)
    return fetch_package(package, folder)


def _download_debian(package: Package, folder: Path) -> None:
    if shutil.which("apt-get") is None:
        sys.exit(
            f"apt-get is needed to download {package.name} {package.version}. Elsewhere than on Debian, put the file "
            f"into {folder} as {package.archive}, or leave the clip art out: --without-clipart."
        )
    folder.mkdir(parents=True, exist_ok=True)
    print(f"downloading {package.name} {package.version}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        Path(place).chmod(0o755)  # apt-get downloads as a user of its own
        command = ["apt-get", "download", "-qq", f"{package.name}={package.version}"]
        subprocess.run(command, check=True, cwd=place, stdout=subprocess.DEVNULL)
        next(Path(place).glob("*.deb")).replace(folder / package.archive)


def debian_files(archive: Path, suffix: str) -> Iterator[tuple[str, bytes]]:
    """(path, content) of the files of a .deb with this suffix, in the archive's order.

    Source: deb(5) and ar(5): a magic of 8 bytes; members behind headers of 60, whose size stands at 48; data.tar.xz.
    """
    with archive.open("rb") as file:
        if file.read(8) != b"!<arch>\n":
            raise ValueError(f"{archive} is no Debian package; delete it and try again.")
        while header := file.read(60):
            name, size = header[:16].decode().strip().rstrip("/"), int(header[48:58])
            if name == "data.tar.xz":
                with lzma.open(file) as data, tarfile.open(fileobj=data, mode="r|") as tar:
                    for member in tar:
                        if member.isfile() and member.name.endswith(suffix):
                            content = tar.extractfile(member)
                            assert content is not None
                            yield member.name, content.read()
                return
            file.seek(size + size % 2, 1)
    raise ValueError(f"{archive} has no data.tar.xz.")
