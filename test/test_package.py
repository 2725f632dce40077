# SPDX-License-Identifier: Apache-2.0
"""The package says the same of itself everywhere, and installs everything that it brings."""

import importlib.util
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from configparser import ConfigParser
from pathlib import Path

import pytest
from catkin_pkg.package import parse_package
from packaging.requirements import Requirement

import neuro_control
from neuro_control.bringup import RUNNABLE

TREE = Path(__file__).resolve().parents[1]

# Distributions of setup.cfg and the rosdep keys of package.xml that bring them.
ROSDEP_KEYS = {
    "aiohttp": "python3-aiohttp",
    "catkin-pkg": "python3-catkin-pkg-modules",
    "hypothesis": "python3-hypothesis",
    "imageio": "python3-imageio",
    "matplotlib": "python3-matplotlib",
    "mujoco": "python3-mujoco-pip",
    "numba": "python3-numba",
    "numpy": "python3-numpy",
    "packaging": "python3-packaging",
    "pillow": "python3-pil",
    "psutil": "python3-psutil",
    "pydantic": "python3-pydantic",
    "pyopengl": "python3-opengl",
    "pytest": "python3-pytest",
    "pytest-timeout": "python3-pytest-timeout",
    "pyyaml": "python3-yaml",
    "rosbags": "python3-rosbags-pip",
    "ros-rclpy": "rclpy",
    "scipy": "python3-scipy",
    "xacro": "xacro",
}
# Distributions whose module has another name.
MODULES = {
    "imageio-ffmpeg": "imageio_ffmpeg",
    "pillow": "PIL",
    "pyopengl": "OpenGL",
    "pyyaml": "yaml",
}
WITHOUT_ROSDEP_KEY = {
    "imageio-ffmpeg",
    "llvmlite",
    "mcap",
    "nir",
    "onnx",
    "onnxruntime",
    "playwright",
    "viser",
}
# ROS packages that wheels bring along with others, or that have no wheel at all.
WITHOUT_OWN_WHEEL = {
    "ament_index_python",
    "builtin_interfaces",
    "event_camera_msgs",
    "launch",
    "launch_ros",
    "rcl_interfaces",
}
# colcon is what builds the package on a ROS machine, not what the package depends on.
BUILDS_IT = "colcon-"


def requirements(text):
    return [Requirement(line) for line in text.strip().splitlines() if not line.startswith("#")]


@pytest.fixture(scope="module")
def declared():
    config = ConfigParser()
    config.read(TREE / "setup.cfg")
    return config


@pytest.fixture(scope="module")
def package():
    return parse_package(TREE / "package.xml")


def test_package_xml_is_valid_format_3_of_an_ament_python_package(package):
    package.validate()
    assert package.package_format == 3
    assert [export.content for export in package.exports] == ["ament_python"]
    # colcon takes a package with an e-mail that it cannot read for a plain Python one.
    assert all(re.fullmatch(r"[^@\s]+@[^@\s]+\.[a-z]+", m.email) for m in package.maintainers)


def test_the_version_is_the_same_everywhere(package, declared):
    version = neuro_control.__version__
    assert package.version == version
    assert declared["metadata"]["version"] == "attr: neuro_control.__version__"
    newest = re.search(r"^## (\S+)", (TREE / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest[1] == version


def test_name_licence_and_maintainer_are_the_same_everywhere(package, declared):
    metadata = declared["metadata"]
    assert package.name == metadata["name"] == "neuro_control"
    assert [str(name) for name in package.licenses] == [metadata["license"]]
    assert package.maintainers[0].email == metadata["maintainer_email"]
    assert (TREE / "resource" / package.name).is_file()
    assert "Apache License" in (TREE / "LICENSE").read_text()


def test_package_xml_and_setup_cfg_name_the_same_dependencies(package, declared):
    needed = requirements(declared["options"]["install_requires"])
    needed += requirements(declared["options.extras_require"]["ros"])
    tested = requirements(declared["options.extras_require"]["test"])
    assert {key(r.name) for r in needed} - WITHOUT_ROSDEP_KEY == {
        d.name for d in package.exec_depends
    } - WITHOUT_OWN_WHEEL
    keys = {key(r.name) for r in tested if not r.name.startswith(BUILDS_IT)}
    assert keys - WITHOUT_ROSDEP_KEY == {d.name for d in package.test_depends}


def key(distribution):
    if distribution in WITHOUT_ROSDEP_KEY:
        return distribution
    return ROSDEP_KEYS.get(distribution) or distribution.removeprefix("ros-jazzy-").replace(
        "-", "_"
    )


def test_everything_that_the_code_imports_is_declared(package, declared):
    distributions = requirements(declared["options"]["install_requires"])
    known = {MODULES.get(r.name, r.name) for r in distributions} | {"neuro_control"}
    known |= {d.name for d in package.exec_depends} | set(sys.stdlib_module_names)
    trained = {r.name for r in requirements(declared["options.extras_require"]["training"])}
    pattern = re.compile(r"^(?:from|import) (\w+)", re.MULTILINE)
    for path in [*TREE.glob("neuro_control/**/*.py"), *TREE.glob("launch/*.py")]:
        unknown = set(pattern.findall(path.read_text())) - known
        unknown -= trained if path.parent.name == "training" else set()
        # Runs in the environment that `neuro_control backend setup lava` makes.
        unknown -= {"lava"} if path.parent.name == "lava" else set()
        assert not unknown, f"{path} imports {unknown}, which package.xml and setup.cfg do not name"


def test_the_lock_satisfies_every_range(declared):
    pins = {}
    for line in (TREE / "requirements.lock").read_text().splitlines():
        match = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==(\S+)", line)
        if match:
            pins.setdefault(match[1].lower(), []).append(match[2])
    extras = declared["options.extras_require"]
    groups = [extras[name] for name in extras if name != "training"]
    groups.append(declared["options"]["install_requires"])
    for requirement in (r for group in groups for r in requirements(group)):
        locked = pins.get(requirement.name.lower())
        assert locked, f"{requirement.name} is not in requirements.lock: make lock"
        assert all(requirement.specifier.contains(version) for version in locked), requirement


def test_the_lock_names_no_index_and_hashes_everything():
    text = (TREE / "requirements.lock").read_text()
    assert "://" not in text
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text)
    assert all("--hash=sha256:" in block for block in blocks if "==" in block.split("\n")[0])


def share_files(monkeypatch):
    """What setup.py would install, as {folder below the prefix: [file of the tree]}."""
    monkeypatch.chdir(TREE)
    given = {}
    monkeypatch.setattr("setuptools.setup", lambda **arguments: given.update(arguments))
    specification = importlib.util.spec_from_file_location("_setup", TREE / "setup.py")
    specification.loader.exec_module(importlib.util.module_from_spec(specification))
    return dict(given["data_files"])


def test_every_launch_configuration_and_description_file_is_installed(monkeypatch):
    files = share_files(monkeypatch)
    installed = {Path(name) for names in files.values() for name in names}
    tracked = subprocess.run(
        ["git", "ls-files", "config", "launch", "urdf", "scripts"],
        cwd=TREE,
        capture_output=True,
        text=True,
        check=False,
    )
    if tracked.returncode != 0:
        pytest.skip("no git tree here, so no list of files to compare with")
    assert {Path(line) for line in tracked.stdout.splitlines()} <= installed
    for folder, names in files.items():
        if folder.startswith("share/neuro_control/"):
            assert all(Path(folder).name == Path(name).parent.name for name in names)
    assert files["share/ament_index/resource_index/packages"] == ["resource/neuro_control"]
    assert "package.xml" in files["share/neuro_control"]


def test_every_node_has_a_program_for_ros2_run():
    programs = {path.name: path for path in (TREE / "scripts").iterdir()}
    assert set(programs) == {"neuro_control", *RUNNABLE}
    assert all(os.access(path, os.X_OK) for path in programs.values())


def test_package_xml_of_the_message_is_valid():
    package = parse_package(TREE / "interfaces" / "event_camera_msgs" / "package.xml")
    package.validate()
    root = ElementTree.parse(TREE / "interfaces" / "event_camera_msgs" / "package.xml").getroot()
    assert root.findtext("member_of_group") == "rosidl_interface_packages"
