# SPDX-License-Identifier: Apache-2.0
"""The base of the managed nodes: transitions that say why they fail, and `autostart`."""

# ruff: noqa: ARG002 - rclpy hands every transition the state it comes from

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, qos_policy_name_from_kind

from neuro_control.backends.worker_process import BackendError
from neuro_control.nodes import qos
from neuro_control.nodes.parameters import Parameters
from neuro_control.nodes.spin import MessageWithInfo, StartError, run
from neuro_control.worker.priority import PriorityError, run_in_real_time, take_short_slices

# A listener that has died meanwhile does not keep the node from ending.
LAST_WORD = Duration(nanoseconds=200_000_000)


class ManagedNode(LifecycleNode):
    """A lifecycle node whose work is in four hooks.

    configure: make what the node needs; a ValueError, OSError, StartError or BackendError leaves it
    unconfigured with the reason in the log. activate, deactivate: begin and end commanding.
    release: give the rest back; called on clean-up, shutdown and errors, whatever was made.
    """

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self.active = False
        self.failure = ""
        # The policy by which a publisher of a watched topic cannot be heard; "": there is none.
        self.incompatible_qos = ""
        self._made: list[tuple[Callable[[Any], Any], Any]] = []
        self._configuration = 0

    # Made by every node in its constructor.
    parameters: Parameters[Any]

    def configure(self) -> None:
        """Make publishers, subscriptions and the core objects."""

    def activate(self) -> None:
        """Begin to command."""

    def deactivate(self) -> None:
        """Cease to command."""

    def release(self) -> None:
        """Give back what `configure` made."""

    @property
    def lifecycle_state(self) -> str:
        """unconfigured, inactive, active or finalized."""
        return str(self._state_machine.current_state[1])

    def start(self) -> None:
        """Configure and activate at once (`autostart`). Raises StartError with the reason."""
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() is not TransitionCallbackReturn.SUCCESS:
                raise StartError(f"{self.get_name()}: {self.failure}")

    def end(self) -> None:
        """Cease to command, and see that the last word is heard, before the process ends."""
        if not self.active:
            return
        self.active = False
        self._attempt(self.deactivate)
        for _, made in self._made:
            if isinstance(made, Publisher):
                made.wait_for_all_acked(LAST_WORD)

    def destroy_node(self) -> None:
        """Give everything back at once.

        rclpy leaves the state machine to the garbage collector, and with it the node and all of its
        services: to others it is there as before.
        """
        super().destroy_node()
        self._state_machine.destroy_when_not_in_use()

    # What `configure` makes with these is destroyed before `release` is called. An executor may
    # still hold a callback that was due by then; it is dropped, for its objects are gone.

    def _while_configured(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        configuration = self._configuration

        def call(*arguments: Any) -> Any:
            if configuration == self._configuration:
                return callback(*arguments)
            return None

        return call

    def add_publisher(
        self, kind: type, topic: str, profile: QoSProfile, overridable: bool = True
    ) -> Any:
        """A publisher that lasts until clean-up."""
        options = qos.OVERRIDABLE if overridable else None
        made = self.create_publisher(kind, topic, profile, qos_overriding_options=options)
        self._made.append((self.destroy_publisher, made))
        return made

    def add_subscription(
        self,
        kind: type,
        topic: str,
        callback: Callable[[Any, dict[str, Any]], None],
        profile: QoSProfile,
        watch_qos: bool = False,
    ) -> Any:
        """A subscription until clean-up; the callback is given the message and its info.

        watch_qos: a publisher that cannot be heard is told by `incompatible_qos`, and not by rclpy.
        """
        events = SubscriptionEventCallbacks(incompatible_qos=self._on_incompatible_qos)
        made = self.create_subscription(
            kind,
            topic,
            MessageWithInfo(self._while_configured(callback)),
            profile,
            event_callbacks=events if watch_qos else None,
            qos_overriding_options=qos.OVERRIDABLE,
        )
        self._made.append((self.destroy_subscription, made))
        return made

    def _on_incompatible_qos(self, event: Any) -> None:
        self.incompatible_qos = str(qos_policy_name_from_kind(event.last_policy_kind))

    def add_service(self, kind: type, name: str, callback: Callable[[Any], Any]) -> Any:
        """A service until clean-up; the callback fills in the response and returns it."""
        current = self._while_configured(callback)

        def answer(request: Any, response: Any) -> Any:
            del request
            return current(response) or response

        made = self.create_service(kind, name, answer)
        self._made.append((self.destroy_service, made))
        return made

    def add_timer(self, period_s: float, callback: Callable[[], None], wall: bool = False) -> Any:
        """A timer until clean-up, on the node's clock or on the wall's."""
        clock = Clock(clock_type=ClockType.STEADY_TIME) if wall else self.get_clock()
        made = self.create_timer(period_s, self._while_configured(callback), clock=clock)
        self._made.append((self.destroy_timer, made))
        return made

    def _release(self) -> None:
        self._configuration += 1
        self.incompatible_qos = ""
        made, self._made = self._made, []
        for destroy, entity in reversed(made):
            destroy(entity)
        self.release()

    # rclpy swallows what a transition raises, so it is caught and told here.

    def _attempt(self, work: Callable[[], None]) -> TransitionCallbackReturn:
        self.failure = ""
        try:
            work()
        except (ValueError, OSError, ImportError, StartError, BackendError, PriorityError) as error:
            self.failure = str(error)
            self.get_logger().error(self.failure)
            return TransitionCallbackReturn.FAILURE
        except Exception as error:  # noqa: BLE001 - told in full, and the state machine goes on
            self.failure = f"{type(error).__name__}: {error}"
            self.get_logger().error(f"{self.failure}\n{traceback.format_exc()}")
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS

    def _configure(self) -> None:
        self.configure()
        # Sensors and robot wait for this process: from now on it goes on as soon as something has
        # come. Not before: what is loaded and compiled until then would keep others waiting.
        take_short_slices()
        if priority := self.parameters.settings.realtime_priority:
            run_in_real_time(priority)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Make what the node needs; what was made half is given back."""
        result = self._attempt(self._configure)
        if result is not TransitionCallbackReturn.SUCCESS:
            failure = self.failure
            self._attempt(self._release)
            self.failure = failure
        return result

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to command."""
        super().on_activate(state)
        result = self._attempt(self.activate)
        self.active = result is TransitionCallbackReturn.SUCCESS
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Cease to command."""
        self.active = False
        result = self._attempt(self.deactivate)
        super().on_deactivate(state)
        return result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Give everything back."""
        return self._attempt(self._release)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Cease to command and give everything back."""
        return self._end()

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Back to unconfigured; what failed can be configured anew."""
        failure = self.failure
        result = self._end()
        self.failure = failure
        return result

    def _end(self) -> TransitionCallbackReturn:
        if self.active:
            self.active = False
            self._attempt(self.deactivate)
        return self._attempt(self._release)


def run_managed(kind: type[ManagedNode], args: Sequence[str] | None) -> int:
    """Run one node from command line to end, started at once if `autostart` says so.

    Returns the exit code (see `spin.run`).
    """

    def begin(node: ManagedNode) -> None:
        if node.parameters.settings.autostart:
            node.start()

    return run(kind, args, begin=begin, end=kind.end)
