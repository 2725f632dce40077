# SPDX-License-Identifier: Apache-2.0
"""The debugger's prompt: one method a command."""

from __future__ import annotations

import cmd
import shlex
from pathlib import Path
from typing import IO

from neuro_control.inspection import BreakCondition, Debugger, Moment, Stop, Units
from neuro_control.network_command import debug_views as views
from neuro_control.network_command.break_words import BREAK_FORMS, number_of, parse_condition
from neuro_control.network_command.interruption import interruptible
from neuro_control.reports.files import check_output, whole_file

HELP = {
    "step": "step [N]              do one tick, or N (short: s)",
    "run": "run [N]               go on until a break condition holds, N ticks are done or the\n"
    "                      input is over (short: r, c; also: continue)",
    "goto": "goto T                to where T ticks have been done, forwards or back",
    "back": "back [N]              one tick back, or N",
    "break": "break [CONDITION]     where `run` stops; alone: what is set. Conditions:\n"
    + "\n".join(f"                        {line}" for line in BREAK_FORMS.splitlines()),
    "delete": "delete [N]            forget break condition N, or all",
    "show": "show POP[NEURONS] ... input, current, membrane, threshold and pending input in the\n"
    "                      last tick; POP alone: those that spiked or came nearest to it;\n"
    "                      alone: where it stands",
    "inputs": "inputs                active input channels of the last tick and of the next",
    "spikes": "spikes                who spiked in the last tick, and how often so far",
    "synapses": "synapses POP[N]       which synapses brought a neuron its input of the last tick",
    "save": "save FILE.npz         keep the state",
    "restore": "restore FILE.npz      go on from a state that was saved",
    "quit": "quit                  leave (short: q, or the end of the input)",
}
"""What `help` says. NEURONS are numbers or ranges: POP[3], POP[1,4:8]."""


class DebugPrompt(cmd.Cmd):
    """Reads commands and prints what they show. ``failed``: a command could not be done."""

    intro = "`help` lists the commands; an empty line does the last one again."
    prompt = "(debug) "

    def __init__(
        self,
        debugger: Debugger,
        units: Units,
        *,
        stdin: IO[str] | None = None,
        stdout: IO[str] | None = None,
        interactive: bool = True,
    ) -> None:
        super().__init__(stdin=stdin, stdout=stdout)
        self.debugger, self.units = debugger, units
        self.breaks: dict[int, BreakCondition] = {}
        self.failed = False
        self._interactive = interactive
        self._next_break = 1
        self.use_rawinput = interactive and stdin is None
        if not interactive:
            self.intro, self.prompt = None, ""  # type: ignore[assignment]

    # What cmd.Cmd calls

    def onecmd(self, line: str) -> bool:
        """Do one command; what cannot be done is said, and ends a script."""
        try:
            return bool(super().onecmd(line.strip()))
        except (ValueError, OSError) as error:
            self._fail(str(error))
            return not self._interactive

    def default(self, line: str) -> bool | None:  # type: ignore[override]
        """A command that is not known."""
        if line == "EOF":
            return True
        short = {"s": self.do_step, "r": self.do_run, "c": self.do_run, "q": self.do_quit}
        word, _, rest = line.partition(" ")
        if word in short:
            return short[word](rest.strip())
        raise ValueError(f"no command {word!r}; `help` lists them")

    def emptyline(self) -> bool:
        """The last command again, for a person; nothing in a script."""
        return bool(super().emptyline()) if self._interactive else False

    def completenames(self, text: str, *ignored: str) -> list[str]:
        """Commands that begin so."""
        return [name for name in super().completenames(text, *ignored) if name != "EOF"]

    def completedefault(self, text: str, *_ignored: object) -> list[str]:
        """Populations that begin so."""
        return [p.name for p in self.debugger.network.populations if p.name.startswith(text)]

    def do_help(self, arg: str) -> bool | None:
        """List the commands, or explain one."""
        if arg and arg not in HELP:
            raise ValueError(f"no command {arg!r}; `help` lists them")
        self._say("\n".join([HELP[arg]] if arg else HELP.values()))
        return False

    # Going

    def do_step(self, line: str) -> bool:
        """Do one tick, or so many."""
        self._stopped(self.debugger.step(number_of(line, 1)))
        return False

    def do_run(self, line: str) -> bool:
        """Go on until something holds."""
        most = number_of(line, 0)
        with interruptible(self._interactive) as interrupted:
            conditions = [*self.breaks.values(), *interrupted]
            self._stopped(self.debugger.run(conditions, most or None))
        return False

    do_continue = do_run

    def do_goto(self, line: str) -> bool:
        """Go to where so many ticks have been done."""
        self.debugger.go_to(number_of(line, None))
        self._say(views.where(self.debugger))
        return False

    def do_back(self, line: str) -> bool:
        """Go back."""
        self.debugger.go_to(self.debugger.tick - number_of(line, 1))
        self._say(views.where(self.debugger))
        return False

    def do_break(self, line: str) -> bool:
        """Where `run` stops; without arguments, what is set."""
        words = shlex.split(line)
        if words:
            condition = self.breaks[self._next_break] = parse_condition(
                self.debugger.network, words
            )
            self._say(f"break {self._next_break}: {condition}")
            self._next_break += 1
            return False
        for number, condition in self.breaks.items():
            self._say(f"break {number}: {condition}")
        if not self.breaks:
            self._say(f"none is set\n{BREAK_FORMS}")
        return False

    def do_delete(self, line: str) -> bool:
        """Forget break conditions."""
        if line:
            number = number_of(line, None)
            if number not in self.breaks:
                raise ValueError(f"there is no break {number}; `break` lists them")
            del self.breaks[number]
        else:
            self.breaks.clear()
        return False

    # Looking

    def do_show(self, line: str) -> bool:
        """Show neurons of populations, or where it stands."""
        words = line.split()
        if not words:
            self._say(views.where(self.debugger))
        for word in words:
            population, neurons = views.parse_neurons(self.debugger.network, word)
            self._say(views.population_table(self.debugger, self.units, population, neurons))
        return False

    def do_inputs(self, line: str) -> bool:
        """Show the active inputs."""
        _nothing(line)
        self._say(views.inputs_text(self.debugger))
        return False

    def do_spikes(self, line: str) -> bool:
        """Show who spiked."""
        _nothing(line)
        self._say(views.spikes_text(self.debugger))
        return False

    def do_synapses(self, line: str) -> bool:
        """Show what brought neurons their input."""
        population, neurons = views.parse_neurons(self.debugger.network, line)
        if not neurons:
            raise ValueError(f"synapses {line}: name neurons, as in {population.name}[0]")
        for neuron in neurons:
            found = self.debugger.origins(population.name, neuron)
            if found is None:
                self._say("no tick has been done yet")
                break
            self._say(views.origins_text(self.debugger, self.units, population.name, neuron, found))
        return False

    # Keeping

    def do_save(self, line: str) -> bool:
        """Keep the state."""
        path = Path(_one(line, "save FILE.npz"))
        check_output("save", path)
        with whole_file(path) as part:
            self.debugger.moment().save(part)
        self._say(f"state after {self.debugger.tick} ticks: {path}")
        return False

    def do_restore(self, line: str) -> bool:
        """Go on from a state that was saved."""
        path = Path(_one(line, "restore FILE.npz"))
        self.debugger.restore(Moment.load(path, self.debugger.network))
        self._say(views.where(self.debugger))
        return False

    def do_quit(self, line: str) -> bool:
        """Leave."""
        _nothing(line)
        return True

    def _stopped(self, stop: Stop) -> None:
        if stop.why:
            self._say(f"stopped: {stop.why}")
        self._say(views.where(self.debugger))
        if stop.ended:
            self._say("the input is over")

    def _say(self, text: str) -> None:
        self.stdout.write(f"{text}\n")

    def _fail(self, text: str) -> None:
        self.failed = True
        self._say(f"error: {text}")


def _nothing(line: str) -> None:
    if line.strip():
        raise ValueError(f"{line!r}: this command takes nothing")


def _one(line: str, form: str) -> str:
    words = shlex.split(line)
    if len(words) != 1:
        raise ValueError(f"write {form}")
    return words[0]
