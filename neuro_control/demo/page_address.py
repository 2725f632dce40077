# SPDX-License-Identifier: Apache-2.0
"""What the dashboard of a demo has to tell: where the page is, or that there is none any more."""

from __future__ import annotations

from collections.abc import Iterator

from neuro_control.demo.processes import Child

# As the dashboard prints it.
MARK = "dashboard: "


class PageAddress:
    """Reads the dashboard's log; None stands for a run without one."""

    def __init__(self, child: Child | None) -> None:
        self._child = child
        self._told = False

    def news(self) -> Iterator[str]:
        """What is to be said now; each thing once."""
        child = self._child
        if child is None:
            return
        if not self._told:
            for line in child.log.read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith(MARK):
                    self._told = True
                    yield f"see it in a browser: {line.removeprefix(MARK)}"
                    break
        if child.has_ended():
            # A robot does not need to be looked at: it goes on.
            self._child = None
            last = child.last_lines(1)
            why = f": {last[0]}" if last else ""
            yield f"the page is gone{why} (log: {child.log})"
