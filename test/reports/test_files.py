# SPDX-License-Identifier: Apache-2.0
"""Files are whole or not there; what cannot be written is refused before anything starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from neuro_control.reports.files import check_output, whole_file, write_text
from neuro_control.reports.film_file import check_film


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/nowhere/out.html", "its folder does not exist"),
        ("/", "is a folder"),
        ("/proc/out.html", "nothing can be written there"),
        ("out.docx", r"must end in \.html or \.json"),
        ("out", r"must end in \.html or \.json"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(path: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^--report {path}.*{why}"):
        check_output("--report", Path(path), (".html", ".json"))


def test_looking_leaves_nothing_and_case_does_not_matter(tmp_path: Path) -> None:
    check_output("--report", tmp_path / "OUT.HTML", (".html",))
    check_film("--film", tmp_path / "out.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_nobody_can_encode_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=r"must end in \.mp4 or \.gif"):
        check_film("--film", tmp_path / "out.avi")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install imageio-ffmpeg, or choose \.gif"):
        check_film("--film", tmp_path / "out.mp4")
    check_film("--film", tmp_path / "out.gif")


def test_what_fails_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_text(path, "old")

    def fail() -> None:
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]


def test_a_file_has_the_rights_that_the_user_gives_new_files(tmp_path: Path) -> None:
    write_text(tmp_path / "out.txt", "x")
    (tmp_path / "plain.txt").write_text("x")
    modes = {(tmp_path / name).stat().st_mode for name in ("out.txt", "plain.txt")}
    assert len(modes) == 1
