# SPDX-License-Identifier: Apache-2.0
"""The ROS environment of a demo: its own domain, this machine only, and one thread per process."""

from __future__ import annotations

import os
import random
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

# Domains beyond 101 meet Linux's ephemeral ports (DDS: port 7400 + 250 * domain).
FIRST_DOMAIN, LAST_DOMAIN = 1, 101
DDS_PORT_BASE, DDS_PORT_STEP, FIRST_UNICAST_PORT = 7400, 250, 10


class DomainClaim:
    """A ROS domain that no other demo on this machine uses, held until closed or death.

    The claim is a socket in Linux's abstract namespace: the kernel drops it with the process,
    however that ends, so that no lock file can outlive a demo.
    """

    def __init__(self, seed: int | None = None) -> None:
        order = list(range(FIRST_DOMAIN, LAST_DOMAIN + 1))
        random.Random(os.getpid() if seed is None else seed).shuffle(order)
        for domain in order:
            claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                claim.bind(f"\0neuro_control_domain_{domain}")
            except OSError:
                claim.close()
                continue
            if _has_participants(domain):
                claim.close()
                continue
            self.domain = domain
            self._claim = claim
            return
        raise RuntimeError(
            f"all ROS domains {FIRST_DOMAIN} to {LAST_DOMAIN} are in use on this machine; "
            "set ROS_DOMAIN_ID to share one"
        )

    def close(self) -> None:
        """Give the domain back."""
        self._claim.close()

    def __enter__(self) -> DomainClaim:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _has_participants(domain: int) -> bool:
    """Whether a DDS participant on this machine holds the domain's first unicast port."""
    port = DDS_PORT_BASE + DDS_PORT_STEP * domain + FIRST_UNICAST_PORT
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return True
    return False


def ros_environment(domain: int | None, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment in which a demo's nodes (and its monitor) run.

    domain: the ROS domain to use where the user has not set ROS_DOMAIN_ID.
    base: environment to start from; by default this process's. What the user has set in it
    stays. LD_LIBRARY_PATH and the ROS wheels' bootstrap mark pass through together: the nodes
    run in this same interpreter, and need not find their libraries a second time.
    """
    environment = dict(os.environ if base is None else base)
    if domain is not None:
        environment.setdefault("ROS_DOMAIN_ID", str(domain))
    environment.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    # Threaded BLAS costs milliseconds at the 99th percentile on arrays as small as ours.
    environment.setdefault("OMP_NUM_THREADS", "1")
    environment.setdefault("PYTHONUNBUFFERED", "1")
    prefixes = environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    if sys.prefix not in prefixes and (Path(sys.prefix) / "share" / "ament_index").is_dir():
        environment["AMENT_PREFIX_PATH"] = os.pathsep.join([sys.prefix, *filter(None, prefixes)])
    return environment
