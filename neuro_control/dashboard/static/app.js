// SPDX-License-Identifier: Apache-2.0
// The page: its stream, its layout, its buttons.

import { decodeFrame } from "./frame.js";
import { GuardPanel, HealthPanel } from "./health.js";
import { DelayPanel, JointsPanel } from "./motion.js";
import { MembranesPanel, RasterPanel, probes } from "./network.js";
import { short } from "./plot.js";
import { ProfilePanel } from "./profile.js";
import { drawReplay } from "./replay.js";
import { ScenePanel } from "./scene.js";
import { CameraPanel, EarsPanel, SkinPanel } from "./senses.js";
import { SimulationPanel } from "./simulation.js";

// In the order in which they are read; with the column that each likes of 4 and of 3.
const PANELS = [
  [ScenePanel, 0, 0], [CameraPanel, 1, 1], [RasterPanel, 2, 2], [JointsPanel, 3, 0],
  [MembranesPanel, 2, 2], [SkinPanel, 1, 1], [EarsPanel, 1, 1], [DelayPanel, 3, 2],
  [HealthPanel, 0, 0], [ProfilePanel, 3, 1], [GuardPanel, 3, 0], [SimulationPanel, 2, 2],
];
const SILENT_S = 0.3;
const CONTROLS_MS = 3000;
const STAGES = { camera: "event camera", joints: "joints", controller: "controller", guard: "guard → robot" };
const FORGETFUL = { get: () => null, set: () => {} };

const $ = (id) => document.getElementById(id);
/** What was said last of everything that changes seldom. */
const texts = { version: 0 };
const shown = new Map();
let frame = null;
let fresh = false;
let paused = false;
let connected = false;
let received = [];
let layoutKey = "";
/** When the controls were read last, and how often a `set` has begun or ended. */
const controlsRead = { at_ms: -Infinity, sets: 0 };

const memory = (() => {
  try {
    const store = window.localStorage;
    return { get: (key) => store.getItem(key), set: (key, value) => store.setItem(key, value) };
  } catch {
    return FORGETFUL;
  }
})();
const hidden = new Set(JSON.parse(memory.get("hidden") ?? "[]"));

// The stream

function connect() {
  const stream = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/ws`);
  stream.binaryType = "arraybuffer";
  stream.onopen = () => {
    connected = true;
    document.body.dataset.connected = "true";
    say("");
  };
  stream.onclose = () => {
    connected = false;
    document.body.dataset.connected = "false";
    say("No connection to the dashboard: what is shown is old. It is tried again.");
    setTimeout(connect, 1000);
  };
  stream.onmessage = ({ data }) => {
    if (typeof data === "string") {
      const { kind, value } = JSON.parse(data);
      if (value === null) delete texts[kind];
      else texts[kind] = value;
      texts.version += 1;
      if (kind === "about") about(value);
      return;
    }
    received.push(performance.now());
    // The next one is sent when this one is drawn: a slow browser shows fewer, not older ones.
    requestAnimationFrame(() => { if (stream.readyState === WebSocket.OPEN) stream.send("drawn"); });
    if (paused) return;
    frame = decodeFrame(data);
    fresh = true;
  };
}

function about(value) {
  const space = value.namespace === "/" ? "" : ` ${value.namespace}`;
  $("robot").textContent = `${value.robot}${space}`;
  document.title = `${value.robot}${space} · neuro_control`;
}

/** The banner: a warning, a note, or nothing. */
function say(text, kind = "warning") {
  const banner = $("banner");
  // Only another press of the stop button, or a click on it, takes an alarm away.
  if (banner.dataset.kind === "alarm" && kind !== "alarm") return;
  banner.textContent = text;
  banner.dataset.kind = kind;
  banner.hidden = !text;
}

/** A stop that did not stop is shouted; all else that was refused is said. */
function complain(name, reason) {
  if (name === "stop") say(`NOT STOPPED: ${reason}`, "alarm");
  else say(`${name}: ${reason}`);
}

/** Press a button: POST /api/NAME. The answer, or null if it was refused, which is said. */
async function act(name, wanted = {}, quiet = false) {
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
      headers: { "Content-Type": "application/json" },
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

// Layout: panels stand in columns and share their height by weight.

function present() {
  return PANELS.filter(([panel]) => texts.undrawable?.[panel.id] || has(panel));
}

/** Whether there is what a panel draws; what cannot be read is not there. */
function has(panel) {
  try {
    return panel.has(frame, texts);
  } catch {
    return false;
  }
}

function lay() {
  const there = present();
  const wide = innerWidth;
  const count = wide > 1500 ? 4 : wide > 1000 ? 3 : wide > 720 ? 2 : 1;
  const visible = there.filter(([panel]) => !hidden.has(panel.id));
  const key = `${count}|${visible.map(([panel]) => panel.id)}|${there.length}`;
  if (key === layoutKey) return;
  layoutKey = key;
  const columns = Array.from({ length: count }, () => {
    const column = document.createElement("div");
    column.className = "column";
    return { column, weight: 0 };
  });
  const ids = new Set(visible.map(([panel]) => panel.id));
  for (const [id, entry] of shown) {
    if (!ids.has(id)) {
      entry.section.remove();
      shown.delete(id);
    }
  }
  for (const [panel, four, three] of visible) {
    const liked = count === 4 ? four : count === 3 ? three : -1;
    const emptiest = columns.reduce((a, b) => (b.weight < a.weight ? b : a));
    const place = liked < 0 ? emptiest : columns[liked];
    place.weight += panel.weight;
    place.column.append(sectionOf(panel));
  }
  $("panels").replaceChildren(...columns.filter((c) => c.weight).map((c) => c.column));
  layChoices(there);
}

function sectionOf(panel) {
  if (!shown.has(panel.id)) {
    const section = document.createElement("section");
    section.id = `panel_${panel.id}`;
    section.style.flex = `${panel.weight} 1 0`;
    const title = document.createElement("h2");
    const tools = document.createElement("span");
    tools.className = "tools";
    const note = document.createElement("span");
    note.className = "note";
    title.append(panel.title, tools, note);
    const body = document.createElement("div");
    body.className = "body";
    section.append(title, body);
    shown.set(panel.id, { section, note, made: null, body, tools, panel });
  }
  return shown.get(panel.id).section;
}

function layChoices(there) {
  $("choices").replaceChildren(...there.map(([panel]) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = !hidden.has(panel.id);
    box.addEventListener("change", () => {
      if (box.checked) hidden.delete(panel.id);
      else hidden.add(panel.id);
      memory.set("hidden", JSON.stringify([...hidden]));
    });
    label.append(box, ` ${panel.title}`);
    return label;
  }));
}

// Drawing

function draw() {
  requestAnimationFrame(draw);
  if (!frame || !texts.about) return;
  lay();
  if (!fresh) return;
  fresh = false;
  for (const part of [drawFlow, drawState, () => drawReplay($("replay"), texts, act)]) {
    try {
      part();
    } catch (error) {
      say(`A part of this page cannot be drawn: ${error.message}`);
    }
  }
  tellFailures();
  for (const entry of shown.values()) {
    const note = drawPanel(entry);
    entry.note.textContent = note?.text ?? "";
    entry.note.title = note?.title ?? note?.text ?? "";
    entry.note.classList.toggle("warn", Boolean(note?.warn));
  }
}

/** Draw one panel; its note. What it cannot draw keeps no other from being drawn. */
function drawPanel(entry) {
  const failure = texts.undrawable?.[entry.panel.id];
  let note = null;
  let reason = failure && `${failure.reason} (${failure.count} times)`;
  if (has(entry.panel)) {
    try {
      // Made here, for only now it has a place and with it a size.
      entry.made ??= new entry.panel(entry.body, entry.tools, () => texts.about, act, texts);
      note = entry.made.draw(frame);
    } catch (error) {
      reason ??= error.message;
    }
  }
  entry.section.classList.toggle("undrawable", Boolean(reason));
  return reason ? { text: `cannot be drawn: ${reason}`, warn: true } : note;
}

/** What befell the whole page, or a recording that nobody has ended. */
function tellFailures() {
  const whole = texts.undrawable?.page;
  if (whole) say(`The page cannot be drawn: ${whole.reason}`);
  const failure = texts.recording?.failure ?? "";
  if (failure && failure !== tellFailures.told) say(`Recording: ${failure}`);
  tellFailures.told = failure;
}

function drawFlow() {
  const list = $("flow");
  for (const [name, label] of Object.entries(STAGES)) {
    const stage = frame.state.flow?.[name] ?? { there: false };
    let item = list.querySelector(`[data-stage="${name}"]`);
    if (!item) {
      item = document.createElement("li");
      item.dataset.stage = name;
      const title = document.createElement("b");
      title.textContent = label;
      item.append(title, document.createElement("span"));
      list.append(item);
    }
    const silent = stage.age_s === null || stage.age_s > SILENT_S;
    item.dataset.state = !stage.there ? "absent" : silent ? "silent" : "flows";
    item.lastChild.textContent = !stage.there ? "absent"
      : stage.age_s === null ? "⚠ nothing yet"
        : silent ? `⚠ silent ${stage.age_s.toFixed(1)} s` : `${short(stage.rate_hz)} Hz`;
  }
}

function drawState() {
  const { nodes } = texts;
  const doing = nodes?.controller?.values.controller_state;
  const because = nodes?.controller?.values.no_data_because;
  const held = nodes?.guard?.values.stopped_because;
  const time = frame.state.joints?.stamp_s ?? frame.state.camera?.stamp_s;
  received = received.filter((t) => t > performance.now() - 2000);
  const said = document.createElement("b");
  said.textContent = held ? `held: ${held.replaceAll("_", " ")}` : because || doing || "";
  const parts = [];
  // A stamp of decades is the wall clock's.
  if (time !== undefined && time < 1e8) parts.push(`t = ${time.toFixed(1)} s`);
  parts.push(`${(received.length / 2).toFixed(0)} pictures/s`);
  $("state").replaceChildren(said, ` ${parts.join(" · ")}`);
  const stopped = nodes?.guard?.values.stopped_because ?? "";
  $("release").hidden = !stopped;
  const record = texts.recording;
  $("record").setAttribute("aria-pressed", String(Boolean(record?.on)));
  $("record").textContent = record?.on
    ? `Recording ${(frame.state.wall_s - record.began_s).toFixed(0)} s, ${record.messages} messages` : "Record";
  $("record").title = record?.file ? `recorded to ${record.file}` : "record every topic of the robot";
}

// Buttons

function dismiss() {
  $("banner").dataset.kind = "";
  say("");
}
$("banner").addEventListener("click", dismiss);
$("stop").addEventListener("click", async () => {
  if ($("banner").dataset.kind === "alarm") dismiss();
  const done = await act("stop");
  if (done) say(`Emergency stop: ${done.message}`, "note");
});
$("release").addEventListener("click", async () => {
  const done = await act("release");
  if (done) say(`Released: ${done.message}`, "note");
});
$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  $("pause").textContent = paused ? "View paused" : "Pause view";
});
$("record").addEventListener("click", async () => {
  const done = await act("record", { on: !texts.recording?.on });
  if (done?.failure) say(`Recording: ${done.failure}`);
  else if (done && !done.on) say(`Recorded to ${done.file}`, "note");
});

// What a simulation lets one change, as long as there is one. Others may change it too, so it is
// read again after each `set`, and now and then while somebody looks.
async function learnControls() {
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
  // Something to see from the start: a neuron in the middle of each population that spikes.
  const rows = texts.network?.rows;
  if (rows && !learnControls.probed && frame && !frame.state.membranes && !probes.chosen.length) {
    learnControls.probed = true;
    const spiking = rows.filter((r) => r.role !== "input" && r.seen && r.threshold).slice(0, 3);
    if (spiking.length) {
      await probes.set(spiking.map((r) => {
        const side = r.shape.at(-1) ?? 1;
        const middle = Math.floor(r.size / 2) + (r.shape.length > 1 ? Math.floor(side / 2) : 0);
        return `${r.name}:${Math.min(middle, r.size - 1)}`;
      }), (name, wanted) => act(name, wanted, true));
    }
  }
  setTimeout(learnControls, 1000);
}

// For whoever looks into the page with the browser's own tools.
window.dashboard = {
  texts,
  get frame() { return frame; },
  panel: (id) => shown.get(id)?.made,
};

document.addEventListener("redraw", () => { fresh = true; });
connect();
learnControls();
draw();
