// SPDX-License-Identifier: Apache-2.0
// What the page asks of the server: its buttons, and what a simulation lets one change.

import { complain } from "./banner.js";
import { probes } from "./network.js";

const CONTROLS_MS = 3000;
/** When the controls were read last, and how often a `set` has begun or ended. */
const controlsRead = { at_ms: -Infinity, sets: 0 };

/**
 * Press a button: POST /api/NAME. The answer, or null if it was refused, which is said.
 * quiet: nobody has pressed anything; a refusal is told nobody.
 */
export async function act(name, wanted = {}, quiet = false) {
  if (name !== "set") return ask(name, wanted, quiet);
  controlsRead.sets += 1;
  const done = await ask(name, wanted, quiet);
  controlsRead.sets += 1;
  controlsRead.at_ms = -Infinity;
  return done;
}

async function ask(name, wanted, quiet) {
  try {
    const answer = await fetch(`api/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...(quiet && { "X-By-Itself": "1" }) },
      body: JSON.stringify(wanted),
      signal: AbortSignal.timeout(8000),
    });
    const said = await answer.json();
    if (answer.ok && !said.error && said.success !== false) return said;
    said.error ??= said.message;
    if (!quiet) complain(name, said.error);
  } catch (error) {
    if (!quiet) complain(name, error.message);
  }
  return null;
}

/**
 * What a simulation lets one change, as long as there is one. Others may change it too, so it is
 * read again after each `set`, and now and then while somebody looks.
 */
export async function learnControls(texts, connected) {
  const there = texts.nodes?.simulator || texts.nodes?.replay;
  const due = !document.hidden && performance.now() - controlsRead.at_ms > CONTROLS_MS;
  if (connected && there && (!texts.controls || due)) {
    const { sets } = controlsRead;
    const found = await act("controls", {}, true);
    // An answer that a `set` has overtaken may be of before it, and is asked for again.
    if (sets === controlsRead.sets) {
      controlsRead.at_ms = performance.now();
      if (found) texts.controls = found.controls;
    }
  }
  if (!there) delete texts.controls;
}

/** Something to see from the start: a neuron in the middle of each population that spikes. */
export async function chooseNeurons(texts, state) {
  const rows = texts.network?.rows;
  if (!rows || chooseNeurons.done || !state || state.membranes || probes.chosen.length) return;
  chooseNeurons.done = true;
  const spiking = rows.filter((r) => r.role !== "input" && r.seen && r.threshold).slice(0, 3);
  if (!spiking.length) return;
  await probes.set(spiking.map((r) => {
    const side = r.shape.at(-1) ?? 1;
    const middle = Math.floor(r.size / 2) + (r.shape.length > 1 ? Math.floor(side / 2) : 0);
    return `${r.name}:${Math.min(middle, r.size - 1)}`;
  }), (name, wanted) => act(name, wanted, true));
}
