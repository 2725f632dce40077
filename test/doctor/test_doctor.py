# SPDX-License-Identifier: Apache-2.0
"""What the doctor finds, what it says where something is missing, and its exit code."""

import json

import pytest

from neuro_control import doctor
from neuro_control.doctor import Check, command, finding, machine, ros


@pytest.fixture(scope="module")
def checks():
    return doctor.run_checks()


def named(checks, name):
    return next(check for check in checks if check.name == name)


def test_every_check_that_is_not_ok_names_a_mend_or_is_optional(checks):
    for check in checks:
        assert check.status in ("ok", "missing", "optional")
        assert check.found
        if check.status == "missing":
            assert check.mend, check


def test_every_thing_that_the_demo_needs_is_looked_for(checks):
    names = {check.name for check in checks}
    assert {"Python", "mujoco", "xacro", "numba", "event_camera_msgs", "middleware"} <= names
    assert {"OpenGL", "Lava", "Gazebo", "numba cache", "robot files", "ROS domain"} <= names
    assert set(ros.MESSAGES) <= names


def test_optional_things_alone_do_not_stop_the_demo(monkeypatch, capsys):
    monkeypatch.setattr(command, "run_checks", lambda: [Check("Gazebo", "optional", "no", "get")])
    assert doctor.main([]) == 0
    text = capsys.readouterr().out
    assert "get" in text
    assert "can run" in text


def test_one_missing_thing_stops_the_demo_and_is_named(monkeypatch, capsys):
    findings = [Check("mujoco", "missing", "2.0", "make setup"), Check("numpy", "ok", "2.0")]
    monkeypatch.setattr(command, "run_checks", lambda: findings)
    assert doctor.main(["--json"]) == 1
    assert json.loads(capsys.readouterr().out)["able"] is False
    assert doctor.main([]) == 1
    text = capsys.readouterr().out
    assert "make setup" in text
    assert "without mujoco" in text


def test_a_package_outside_its_range_is_missing():
    assert machine.package("numpy", ">=1.0").status == "ok"
    old = machine.package("numpy", ">=99")
    assert old.status == "missing"
    assert ">=99" in old.found


def test_a_package_that_is_not_there_is_missing_with_its_command():
    check = machine.package("no-such-package-anywhere", ">=1")
    assert check.status == "missing"
    assert check.mend


def test_a_crash_in_a_child_is_a_finding_and_hurts_nobody():
    works, found = finding.run_child("import os; os.abort()")
    assert not works
    assert "signal 6" in found


def test_a_child_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(finding, "CHILD_TIMEOUT_S", 0.2)
    works, found = finding.run_child("import threading; threading.Event().wait()")
    assert not works
    assert "no answer" in found


def test_without_opengl_the_camera_casts_rays(monkeypatch):
    monkeypatch.setattr(machine, "run_child", lambda code, **environment: (False, "no library"))
    check = machine.opengl()
    assert check.status == "optional"
    assert "rays" in check.found


@pytest.mark.parametrize(
    ("works", "found", "status"),
    [
        (True, ros.EVENT_PACKET_HASH, "ok"),
        (True, ros.EVENT_PACKET_FIELDS, "ok"),
        (True, "RIHS01_0000", "missing"),
        (False, "ModuleNotFoundError: event_camera_msgs", "missing"),
    ],
)
def test_another_message_of_the_same_name_is_not_the_message(monkeypatch, works, found, status):
    monkeypatch.setattr(ros, "run_child", lambda code: (works, found))
    check = ros.event_packet()
    assert check.status == status
    assert (check.mend == "") == (status == "ok")


def test_a_domain_that_ros_has_not_is_told_as_such_and_a_node_starts_all_the_same(monkeypatch):
    monkeypatch.setenv("ROS_DOMAIN_ID", "abc")
    check = ros.domain()
    assert (check.status, check.mend) == ("missing", "unset ROS_DOMAIN_ID")
    assert "ROS_DOMAIN_ID=abc: must be a whole number from 0 to 232" in check.found
    assert ros.middleware().status == "ok"


@pytest.mark.parametrize("text", ["", "42"])
def test_a_domain_that_ros_has_is_in_order(monkeypatch, text):
    monkeypatch.setenv("ROS_DOMAIN_ID", text)
    check = ros.domain()
    assert check.status == "ok"
    assert text in check.found


def test_a_python_that_is_too_old_is_missing(monkeypatch):
    monkeypatch.setattr(machine.sys, "version_info", (3, 9, 1))
    assert machine.python().status == "missing"
