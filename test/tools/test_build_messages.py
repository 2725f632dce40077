# SPDX-License-Identifier: Apache-2.0
"""The wheels' CMake exports are pointed at this interpreter, once, and nothing else is touched."""

import os
import sysconfig

import numpy
import pytest

from tools.build_messages import patch_exports

FOREIGN = "/opt/python/cp311-cp311"
LINE = 'INTERFACE_INCLUDE_DIRECTORIES "{python};{numpy};${{_IMPORT_PREFIX}}/include"\n'


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "std_msgs" / "cmake" / "export_std_msgs__rosidl_generator_pyExport.cmake"
    path.parent.mkdir(parents=True)
    path.write_text(
        LINE.format(
            python=f"{FOREIGN}/include/python3.11",
            numpy=f"{FOREIGN}/lib/python3.11/site-packages/numpy/_core/include",
        )
    )
    return path


def test_foreign_folders_become_this_interpreter_s(tmp_path, export):
    assert patch_exports(tmp_path) == [export]
    include = sysconfig.get_paths()["include"]
    assert export.read_text() == LINE.format(python=include, numpy=numpy.get_include())


def test_the_older_layout_of_numpy_is_known_too(tmp_path, export):
    export.write_text(export.read_text().replace("_core", "core"))
    patch_exports(tmp_path)
    assert numpy.get_include() in export.read_text()
    assert "/opt/python" not in export.read_text()


def test_a_second_call_changes_nothing(tmp_path, export):
    patch_exports(tmp_path)
    before = export.stat().st_mtime_ns
    assert patch_exports(tmp_path) == []
    assert export.stat().st_mtime_ns == before


def test_an_installer_s_cache_is_not_written_through_a_hard_link(tmp_path, export):
    cached = tmp_path / "cached.cmake"
    os.link(export, cached)
    patch_exports(tmp_path)
    assert "/opt/python" in cached.read_text()
