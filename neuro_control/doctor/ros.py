# SPDX-License-Identifier: Apache-2.0
"""rclpy, every message that the nodes speak, and a node that really starts."""

from __future__ import annotations

import importlib.metadata
import os

from neuro_control.bringup import BringupError
from neuro_control.doctor.finding import Check, attempt, ros_mend, run_child
from neuro_control.ros_domain import check_domain

# What the nodes and the launch files import, by ROS package.
MESSAGES = (
    "builtin_interfaces",
    "diagnostic_msgs",
    "geometry_msgs",
    "lifecycle_msgs",
    "rcl_interfaces",
    "rosgraph_msgs",
    "sensor_msgs",
    "std_msgs",
    "std_srvs",
    "trajectory_msgs",
)

# The public definition's hash: nodes with another one do not hear each other.
EVENT_PACKET_HASH = "RIHS01_d6fa176260b1f37e5a40845305315e150a0f18191241eb64f407442aa29844aa"
# Its fields, for distributions that have no type hashes (Humble).
EVENT_PACKET_FIELDS = "header height width seq time_base encoding is_bigendian events"

# A message's Python module loads its C library only when an object is converted, so convert one.
_IMPORT = """
    import importlib, inspect
    from rclpy.serialization import serialize_message
    package = importlib.import_module({package!r} + "." + {part!r})
    names = [n for n, c in inspect.getmembers(package, inspect.isclass)]
    first = getattr(package, names[0])
    serialize_message(first.Request() if {part!r} == "srv" else first())
    print(len(names), "interfaces")
"""

_HASH = """
    import json
    from pathlib import Path
    from ament_index_python.packages import get_package_share_directory
    from event_camera_msgs.msg import EventPacket
    from rclpy.serialization import serialize_message
    serialize_message(EventPacket())
    path = Path(get_package_share_directory("event_camera_msgs"), "msg", "EventPacket.json")
    hashes = json.loads(path.read_text())["type_hashes"] if path.exists() else []
    known = {h["type_name"]: h["hash_string"] for h in hashes}
    fields = EventPacket.get_fields_and_field_types()
    print(known.get("event_camera_msgs/msg/EventPacket", " ".join(fields)))
"""

_NODE = """
    import rclpy
    rclpy.init()
    node = rclpy.create_node("doctor", enable_rosout=False)
    node.destroy_node()
    from rclpy.utilities import get_rmw_implementation_identifier as name
    print(name())
    rclpy.try_shutdown()
"""


def rclpy() -> Check:
    """ROS's Python client, and whose it is: the wheels' or the system's."""
    works, found = run_child("import rclpy; print(rclpy.__file__)")
    if not works:
        return Check("ROS 2 (rclpy)", "missing", found, ros_mend("rclpy"))
    wheels, version = attempt(lambda: importlib.metadata.version("ros-rclpy"))
    if wheels:
        return Check("ROS 2 (rclpy)", "ok", f"jazzy, from the wheels (ros-rclpy {version})")
    distribution = os.environ.get("ROS_DISTRO", "an unnamed distribution")
    return Check("ROS 2 (rclpy)", "ok", f"{distribution}, {found}")


def messages() -> list[Check]:
    """Every message package that the nodes import."""
    checks = []
    for package in MESSAGES:
        part = "srv" if package == "std_srvs" else "msg"
        works, found = run_child(_IMPORT.format(package=package, part=part))
        if works:
            checks.append(Check(package, "ok", found))
        else:
            checks.append(Check(package, "missing", found, ros_mend(package)))
    return checks


def event_packet() -> Check:
    """The address-event message, with the public definition's hash."""
    name = "event_camera_msgs"
    works, found = run_child(_HASH)
    mend = ros_mend(name)
    if mend == "make setup":
        mend = "rm -f .venv/.messages && make setup"
    elif mend.startswith("pip"):
        mend = "python tools/build_messages.py (in a clone of neuro_control)"
    if not works:
        return Check(name, "missing", found, mend)
    if found == EVENT_PACKET_HASH:
        return Check(name, "ok", f"the public type hash {found[:15]}…")
    if found == EVENT_PACKET_FIELDS:
        return Check(name, "ok", "the public fields (this distribution has no type hashes)")
    return Check(name, "missing", f"another message of that name: {found}", mend)


def domain() -> Check:
    """The ROS domain, where the user has set one."""
    name = "ROS domain"
    try:
        check_domain()
    except BringupError as error:
        return Check(name, "missing", str(error), "unset ROS_DOMAIN_ID")
    text = os.environ.get("ROS_DOMAIN_ID", "")
    return Check(name, "ok", text or "not set: a demo takes one of its own, all else is in 0")


def middleware() -> Check:
    """A node that starts, which needs the libraries below rclpy and a network interface."""
    # A domain that is none is a finding of its own, and nothing that setting up anew mends.
    variables = {} if domain().status == "ok" else {"ROS_DOMAIN_ID": "0"}
    works, found = run_child(_NODE, **variables)
    if works:
        return Check("middleware", "ok", f"a node starts on {found}")
    return Check("middleware", "missing", found, ros_mend("rmw_fastrtps_cpp"))
