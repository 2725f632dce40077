# SPDX-License-Identifier: Apache-2.0
"""The controller: events in, commands out, whatever the sensor's clock does."""

from __future__ import annotations

from concurrent.futures import wait

import numpy as np
import pytest

from neuro_control.backends import CpuRunner
from neuro_control.control.arm import (
    ArmController,
    ArmControllerSettings,
    JointSample,
    direction_of,
    load_network,
)
from neuro_control.events import Events
from neuro_control.inspection import scaled_thresholds
from neuro_control.inspection.recent_spikes import LEAST_LOOKS, STEPS_A_LOOK
from neuro_control.network import FixedNetwork
from neuro_control.robots.arm_model import ArmModel
from neuro_control.robots.description import arm_urdf

MODEL = ArmModel.from_urdf(arm_urdf())
PERIOD_NS = 2_000_000
NONE = Events.empty(128, 128)


@pytest.fixture(scope="module")
def network() -> object:
    return load_network("arm_tracker.nir")


@pytest.fixture
def controller(network: object) -> ArmController:
    return ArmController(ArmControllerSettings(), MODEL, network=network)


def blob(column: int, row: int, end_ns: int, seed: int) -> Events:
    """Two milliseconds of a busy disc, as the target makes them."""
    random = np.random.default_rng(seed)
    angle, radius = random.uniform(0, 2 * np.pi, 150), 9 * np.sqrt(random.random(150))
    return Events(
        np.sort(random.integers(end_ns - PERIOD_NS, end_ns, 150)),
        np.round(column + radius * np.cos(angle)).astype(np.uint16),
        np.round(row + radius * np.sin(angle)).astype(np.uint16),
        random.integers(0, 2, 150).astype(np.uint8),
        128,
        128,
    )


def joints(t_ns: int, q: np.ndarray = MODEL.home) -> JointSample:
    return JointSample(t_ns, q, np.zeros(6))


def show(controller: ArmController, column: int, row: int, steps: int = 50, start_ns: int = 0):
    command = None
    for k in range(1, steps + 1):
        t_ns = start_ns + k * PERIOD_NS
        command = controller.step(blob(column, row, t_ns, k), joints(t_ns), t_ns)
    return command


@pytest.mark.parametrize(("column", "row"), [(90, 64), (40, 64), (64, 95), (64, 30)])
def test_it_sees_the_target_and_turns_towards_it(
    controller: ArmController, column: int, row: int
) -> None:
    command = show(controller, column, row)
    assert command.state == "tracking"
    expected = direction_of(np.array([column + 0.5, row + 0.5]) / 128, np.radians(60), 1.0)
    assert command.target_direction == pytest.approx(expected, abs=0.02)
    pose = MODEL.forward_kinematics(MODEL.home)
    turn = pose[:3, :3].T @ (MODEL.jacobian(MODEL.home)[3:] @ command.qd)
    # About y for a column, about -x for a row (optical frame).
    assert np.dot([turn[1], -turn[0]], expected) > 0


def test_silence_is_no_target_and_no_motion(controller: ArmController) -> None:
    for k in range(1, 200):
        command = controller.step(NONE, joints(k * PERIOD_NS), k * PERIOD_NS)
        assert command.target_direction is None
        assert command.state == "holding"
        assert (command.qd == 0).all()
        assert (command.q == MODEL.home).all()


def test_the_same_events_give_the_same_commands(network: object) -> None:
    commands = [
        show(ArmController(ArmControllerSettings(), MODEL, network=network), 80, 50)
        for _ in range(2)
    ]
    assert (commands[0].q == commands[1].q).all()
    assert (commands[0].qd == commands[1].qd).all()


def test_events_of_a_tick_that_has_only_begun_wait_for_its_end(controller: ArmController) -> None:
    half = PERIOD_NS // 4
    show(controller, 64, 64, steps=1)
    ticks = controller.statistics.ticks
    controller.step(NONE, joints(PERIOD_NS + half), PERIOD_NS + half)
    assert controller.statistics.ticks == ticks
    controller.step(NONE, joints(PERIOD_NS + 4 * half), PERIOD_NS + 4 * half)
    assert controller.statistics.ticks == ticks + 2


@pytest.mark.parametrize("jump_ns", [10**9, -(10**9), 10**15])
def test_a_jump_of_the_sensors_clock_begins_anew_and_is_counted(
    controller: ArmController, jump_ns: int
) -> None:
    start_ns = 2 * 10**9
    show(controller, 90, 64, start_ns=start_ns)
    before = controller.statistics
    t_ns = start_ns + 50 * PERIOD_NS + jump_ns
    command = controller.step(NONE, joints(t_ns), t_ns)
    assert command.target_direction is None
    assert (command.q == MODEL.home).all()
    assert controller.statistics.gaps == 1
    assert controller.statistics.ticks - before.ticks <= 1
    assert controller.statistics.spikes >= before.spikes


def test_statistics_count_what_the_network_did(controller: ArmController) -> None:
    show(controller, 64, 64, steps=20)
    statistics = controller.statistics
    assert statistics.ticks == 40
    assert statistics.neurons == 2 * 32 * 32 + 2 + 2 * 64
    assert statistics.spikes > 0
    assert statistics.synaptic_operations > statistics.spikes
    assert 0 < statistics.active_fraction < 0.1
    assert statistics.tick_us > 0


def test_another_sensor_size_is_looked_at_as_a_whole(controller: ArmController) -> None:
    for k in range(1, 51):
        small = blob(64, 64, k * PERIOD_NS, k)
        large = Events(
            small.t_ns, (small.x * 5).astype(np.uint16), (small.y * 3.75).astype(np.uint16),
            small.p, 640, 480,
        )  # fmt: skip
        command = controller.step(large, joints(k * PERIOD_NS), k * PERIOD_NS)
    assert command.target_direction == pytest.approx([0.0, 0.0], abs=0.02)


def test_while_no_tick_begins_what_is_kept_is_bounded_and_the_rest_is_counted(
    controller: ArmController, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packets whose stamps are never filled in: the network's time stands."""
    show(controller, 64, 64, steps=2)
    t_ns, tracker = 2 * PERIOD_NS, controller.tracker
    monkeypatch.setattr("neuro_control.control.tracker.MOST_WAITING_EVENTS", 1_000)
    for _ in range(30):
        controller.step(blob(64, 64, t_ns + PERIOD_NS, 3), joints(t_ns), t_ns)
    kept = sum(map(len, tracker._waiting))
    assert 850 < kept <= 1_000
    assert controller.statistics.events_let_go == 30 * 150 - kept
    monkeypatch.setattr("neuro_control.control.tracker.MOST_WAITING_STEPS", 2)
    controller.step(blob(64, 64, t_ns + PERIOD_NS, 3), joints(t_ns), t_ns)
    assert len(tracker._waiting) == 2
    assert controller.statistics.events_let_go == 31 * 150 - 300
    # The newest are taken in when time goes on; a single step's are, however many.
    ticks = controller.statistics.ticks
    t_ns += PERIOD_NS
    controller.step(NONE, joints(t_ns), t_ns)
    assert (controller.statistics.ticks, len(tracker._waiting)) == (ticks + 2, 0)
    monkeypatch.setattr("neuro_control.control.tracker.MOST_WAITING_EVENTS", 10)
    controller.step(blob(64, 64, t_ns + PERIOD_NS, 4), joints(t_ns), t_ns)
    assert sum(map(len, tracker._waiting)) == 150
    controller.reset()
    assert controller.statistics.events_let_go == 31 * 150 - 300


def test_joints_that_are_no_numbers_are_refused_by_name(controller: ArmController) -> None:
    with pytest.raises(ValueError, match=r"joints\.q:"):
        controller.step(NONE, JointSample(0, np.full(6, np.nan), np.zeros(6)), 0)
    with pytest.raises(ValueError, match=r"joints\.qd"):
        controller.step(NONE, JointSample(0, np.zeros(6), np.zeros(5)), 0)


def test_a_network_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"no_such\.nir"):
        load_network("no_such.nir")


def test_directions_have_square_pixels() -> None:
    wide = direction_of(np.array([1.0, 1.0]), np.radians(90), 0.5)
    assert wide == pytest.approx([1.0, 0.5])


def test_it_says_where_activity_dies(network: FixedNetwork) -> None:
    """A retina with thresholds that no picture reaches; the whole one has nothing to say."""
    enough = STEPS_A_LOOK * LEAST_LOOKS
    for changed, dies in ((network, ""), (scaled_thresholds(network, "retina", 50.0), "retina")):
        controller = ArmController(ArmControllerSettings(), MODEL, network=changed)
        show(controller, 64, 64, steps=enough - 1)
        assert controller.where_activity_dies() == ""
        show(controller, 64, 64, steps=1, start_ns=(enough - 1) * PERIOD_NS)
        # The search goes on in a thread, for a step must not wait for it.
        assert controller.where_activity_dies() == ""
        search = controller._recent._search
        # A place that is silent for good reason is searched for too.
        assert search is not None or not dies
        if search is not None:
            wait([search], timeout=60.0)
        said = controller.where_activity_dies()
        assert said.startswith(f"{dies} is silent although events" if dies else "")
        assert bool(said) is bool(dies)
        # It is said until enough has been seen again.
        assert controller.where_activity_dies() == said
        controller.close()


def test_a_controller_that_cannot_be_made_closes_its_backend(
    network: FixedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process of its own would stay behind."""
    closed = []

    class Closes(CpuRunner):
        def close(self) -> None:
            closed.append(self)

    for part in ("RecentSpikes", "watched", "make_tracker", "GazeServo"):
        with monkeypatch.context() as patch:
            patch.setattr(f"neuro_control.control.arm.{part}", lambda *_: {}["broken"])
            runner = Closes(network)
            with pytest.raises(KeyError, match="broken"):
                ArmController(ArmControllerSettings(), MODEL, network=network, runner=runner)
            assert closed.pop() is runner
