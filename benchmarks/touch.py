# SPDX-License-Identifier: Apache-2.0
"""What a finger pad's skin says of a contact: `python -m benchmarks.touch --picture touch.png`.

The arm's gripper in MuJoCo, as the embedded simulator has it. A ball on slides is pressed onto the
left finger's pad, held, dragged along it until it slips, held, and taken away; the gripper does not
move. The pad's taxels go to the skin a thousand times a second, and each 20 ms of its spikes are
judged (`neuro_control.senses.touch`). The table says when each kind of touch was true and how many
of the windows in it were judged so.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from benchmarks import report
from neuro_control.events import Events
from neuro_control.robots.description import arm_urdf
from neuro_control.senses.skin import Skin, SkinSettings
from neuro_control.senses.touch import Touch, TouchRule
from neuro_control.sim.arm_world import FINGERS, HAND
from neuro_control.sim.simulated_senses import PAD
from neuro_control.sim.taxel_pad import TaxelPad

ROWS, COLUMNS = 8, 8
FULL_SCALE_N = 0.3
RADIUS_M, CLEARANCE_M, OPENING_M = 0.006, 0.0002, 0.03
PRESS_N, LIFT_N, RAMP_S = 1.5, 0.3, 0.06
PERIOD_NS = 1_000_000
WINDOW_MS = 20

PHASES = (
    ("nothing", 0.0, 0.2),
    ("onset", 0.2, 0.28),
    ("hold", 0.28, 0.7),
    ("slip", 0.7, 0.9),
    ("hold", 0.9, 1.2),
    ("release", 1.2, 1.28),
    ("nothing", 1.28, 1.5),
)
"""What is true, from and to [s]; onset and release within these times."""

SLIP_M_S, DRAG_N_S_M = 0.03, 60.0


@dataclass(frozen=True, eq=False)
class Contact:
    """What happened, and what the skin said.

    t_s: float64[n], times of the samples. force_n: float64[n], on the whole pad.
    place_m: float64[n], of the ball along the pad. events: of the skin.
    """

    t_s: np.ndarray
    force_n: np.ndarray
    place_m: np.ndarray
    events: Events


def gripper_and_ball() -> mujoco.MjModel:
    """The arm of the package, and a ball on two slides before its left finger's pad."""
    spec = mujoco.MjSpec.from_string(arm_urdf())
    spec.compiler.fusestatic = False
    spec.option.gravity = [0.0, 0.0, 0.0]
    spec.option.timestep = PERIOD_NS * 1e-9
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # Whatever holds the gripper does not give way.
    for joint in spec.joints:
        joint.armature, joint.damping = 100.0, np.array([1e4, 0.0, 0.0])
    bare = spec.compile()
    data = mujoco.MjData(bare)
    open_fingers(bare, data)
    mujoco.mj_kinematics(bare, data)
    pad, hand = data.body(PAD), data.body(HAND)
    hand_axes, axes = hand.xmat.reshape(3, 3), pad.xmat.reshape(3, 3)
    geom = int(bare.body(PAD).geomadr[0])
    skin, (half_m, half_y_m, _) = data.geom_xpos[geom], bare.geom_size[geom]
    # The pad's x points out of the skin; the ball begins off the middle, to have a way to slip.
    place = skin + axes @ np.array([half_m + RADIUS_M + CLEARANCE_M, -0.4 * half_y_m, 0.0])
    ball = spec.body(HAND).add_body(name="ball", pos=hand_axes.T @ (place - hand.xpos))
    for name, axis, damping in (("press", axes[:, 0], 5.0), ("drag", axes[:, 1], DRAG_N_S_M)):
        ball.add_joint(
            name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=hand_axes.T @ axis, damping=damping
        )
    ball.add_geom(
        type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[RADIUS_M, 0, 0], mass=0.02, friction=[0.6, 0, 0]
    )
    return spec.compile()


def open_fingers(model: mujoco.MjModel, data: mujoco.MjData) -> None:
    """So wide that the ball touches only the pad that it is pressed to."""
    for name in FINGERS:
        data.qpos[model.joint(name).qposadr[0]] = OPENING_M


def simulate() -> Contact:
    """Press, hold, drag, hold and take away; deterministic."""
    model = gripper_and_ball()
    data = mujoco.MjData(model)
    open_fingers(model, data)
    press, drag = (int(model.joint(name).dofadr[0]) for name in ("press", "drag"))
    pad = TaxelPad(model, PAD, ROWS, COLUMNS)
    skin = Skin(ROWS, COLUMNS, SkinSettings())
    _, (_, onset_s, _), _, (_, slip_s, slip_end_s), _, (_, release_s, _), (_, _, end_s) = PHASES
    samples, parts = [], []
    for k in range(1, round(end_s / (PERIOD_NS * 1e-9)) + 1):
        t_s = k * PERIOD_NS * 1e-9
        # Force along the pad's x, out of the skin: negative presses.
        load_n = PRESS_N * np.clip((t_s - onset_s) / RAMP_S, 0.0, 1.0)
        data.qfrc_applied[press] = LIFT_N if t_s >= release_s else -load_n
        # What drags follows a speed, as a hand does; at rest friction does the holding.
        wanted_m_s = SLIP_M_S if slip_s <= t_s < slip_end_s else 0.0
        data.qfrc_applied[drag] = DRAG_N_S_M * wanted_m_s
        mujoco.mj_step(model, data)
        forces = pad.forces(data)
        parts.append(skin.feel(forces / FULL_SCALE_N, k * PERIOD_NS))
        samples.append((t_s, forces.sum(), data.qpos[drag]))
    t, force, place = np.array(samples).T
    return Contact(t, force, place, Events.concatenate(parts))


def judged(events: Events, end_s: float, rule: TouchRule | None = None) -> list[Touch]:
    """What each window of the events, from time 0 on, is judged to be."""
    rule, step = rule or TouchRule(), WINDOW_MS * 1_000_000
    edges = range(0, round(end_s * 1e9) + step, step)
    return [rule.judge(events.window(begin, end)) for begin, end in pairwise(edges)]


def rows(contact: Contact, said: list[Touch]) -> list[dict[str, Any]]:
    """What was true, and what was said meanwhile."""
    found = []
    bands = contact.events.y // ROWS
    for name, begin_s, end_s in PHASES:
        windows = said[round(begin_s * 1e3) // WINDOW_MS : round(end_s * 1e3) // WINDOW_MS]
        inside = (contact.events.t_ns >= begin_s * 1e9) & (contact.events.t_ns < end_s * 1e9)
        counts = [int(np.count_nonzero(inside & (bands == band))) for band in range(3)]
        found.append(
            {
                "true": name,
                "from s": begin_s,
                "to s": end_s,
                "SA-I": counts[0],
                "FA-I": counts[1],
                "FA-II": counts[2],
                "windows": len(windows),
                "judged so": sum(touch.value == name for touch in windows),
                "others": ", ".join(sorted({t.value for t in windows if t.value != name})),
            }
        )
    return found


def plot(contact: Contact, said: list[Touch], path: Path) -> None:
    """Force, place, spikes of every afferent, and what was judged."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    colours = dict(zip(Touch, ("0.9", "tab:green", "0.7", "tab:red", "tab:orange"), strict=True))
    figure, axes = plt.subplots(
        3, 1, figsize=(10, 7), sharex=True, height_ratios=[2, 5, 1], layout="constrained"
    )
    axes[0].plot(contact.t_s, contact.force_n, color="black")
    axes[0].set_ylabel("force on the pad (N)")
    place = axes[0].twinx()
    place.plot(contact.t_s, contact.place_m * 1e3, color="tab:blue")
    place.set_ylabel("way of the ball (mm)", color="tab:blue")
    events = contact.events
    number = events.y.astype(int) * COLUMNS + events.x
    band, rising = events.y // ROWS, events.p == 1
    for which, colour, label in (
        (band == 0, "black", "SA-I"),
        ((band == 1) & rising, "tab:green", "FA-I, pressure rises"),
        ((band == 1) & ~rising, "tab:red", "FA-I, pressure falls"),
        (band == 2, "tab:purple", "FA-II"),
    ):
        axes[1].scatter(
            events.t_ns[which] * 1e-9, number[which], s=3, marker="|", color=colour, label=label
        )
    axes[1].set_ylabel("afferent")
    axes[1].legend(loc="upper right", fontsize=8, markerscale=4)
    for k, touch in enumerate(said):
        span = (k * WINDOW_MS * 1e-3, (k + 1) * WINDOW_MS * 1e-3)
        axes[2].axvspan(*span, color=colours[touch], linewidth=0)
    for name, begin_s, end_s in PHASES:
        axes[2].text((begin_s + end_s) / 2, 0.5, name, ha="center", va="center", fontsize=8)
        for axis in axes:
            axis.axvline(begin_s, color="0.5", linewidth=0.5, linestyle=":")
    axes[2].set_yticks([])
    axes[2].set_ylabel("judged")
    axes[2].set_xlabel("time (s); words: what is true; colours: "
                       "onset green, hold grey, slip orange, release red")  # fmt: skip
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Simulate, judge, print and draw."""
    arguments = report.parser("touch", "What the skin of a finger pad says of a contact.")
    options = arguments.parse_args()
    contact = simulate()
    said = judged(contact.events, PHASES[-1][2])
    found = rows(contact, said)
    title = "A ball on the left finger's pad"
    report.print_table(found, title)
    versions = report.versions()
    report.print_versions(versions)
    report.write_json(options.json, "touch", found)
    report.write_page(options, "touch", __doc__, {title: found}, versions)
    if options.picture is not None:
        plot(contact, said, options.picture)


if __name__ == "__main__":
    main()
