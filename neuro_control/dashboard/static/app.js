// SPDX-License-Identifier: Apache-2.0
// The page: its stream, its layout, its buttons.

import { act, chooseNeurons, learnControls } from "./actions.js";
import { dismissAlarm, say } from "./banner.js";
import { decodeFrame } from "./frame.js";
import { drawFlow, drawState } from "./header.js";
import { GuardPanel, HealthPanel } from "./health.js";
import { DelayPanel, JointsPanel } from "./motion.js";
import { MembranesPanel, RasterPanel } from "./network.js";
import { ProfilePanel } from "./profile.js";
import { drawReplay } from "./replay.js";
import { ScenePanel } from "./scene.js";
import { CameraPanel, EarsPanel, SkinPanel } from "./senses.js";
import { SimulationPanel } from "./simulation.js";

// In the order in which they are read; with the column that each likes of 4 and of 3, -1: the
// emptiest.
const PANELS = [
  [ScenePanel, 0, 0], [CameraPanel, 1, 1], [RasterPanel, 2, 2], [JointsPanel, 3, 0],
  [MembranesPanel, 2, 2], [SkinPanel, 1, 1], [EarsPanel, 1, 1], [DelayPanel, 3, 2],
  [HealthPanel, 0, 0], [ProfilePanel, 3, 1], [SimulationPanel, 2, 2], [GuardPanel, 3, -1],
];
const FORGETFUL = { get: () => null, set: () => {} };

const $ = (id) => document.getElementById(id);
/** What was said last of everything that changes seldom. */
const texts = { version: 0 };
const shown = new Map();
/** What the pictures show, and the newest state: the same, unless the view is paused. */
let frame = null;
let state = null;
/** What has come since the last drawing. */
const due = { words: false, pictures: false };
let paused = false;
let connected = false;
let received = [];
let layoutKey = "";

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
      due.words = true;
      if (kind === "about") about(value);
      return;
    }
    received.push(performance.now());
    // The next one is sent when this one is drawn: a slow browser shows fewer, not older ones.
    requestAnimationFrame(() => { if (stream.readyState === WebSocket.OPEN) stream.send("drawn"); });
    const come = decodeFrame(data);
    ({ state } = come);
    due.words = true;
    if (paused && frame) return;
    frame = come;
    due.pictures = true;
  };
}

function about(value) {
  const space = value.namespace === "/" ? "" : ` ${value.namespace}`;
  $("robot").textContent = `${value.robot}${space}`;
  document.title = `${value.robot}${space} · neuro_control`;
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
  // Until there is a first panel, what is waited for stays said.
  if (there.length || $("panels").querySelector(".column")) {
    $("panels").replaceChildren(...columns.filter((c) => c.weight).map((c) => c.column));
  }
  layChoices(there);
}

function sectionOf(panel) {
  if (!shown.has(panel.id)) {
    const section = document.createElement("section");
    section.id = `panel_${panel.id}`;
    section.style.setProperty("--weight", panel.weight);
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
  if (!due.words && !due.pictures) return;
  received = received.filter((t) => t > performance.now() - 2000);
  const pictures = paused ? "pictures stand still" : `${(received.length / 2).toFixed(0)} pictures/s`;
  for (const part of [() => drawFlow(state), () => drawState(state, texts, pictures),
    () => drawReplay($("replay"), texts, act)]) {
    try {
      part();
    } catch (error) {
      say(`A part of this page cannot be drawn: ${error.message}`);
    }
  }
  tellFailures();
  for (const entry of shown.values()) {
    // A pause is for looking at pictures: what is said of the robot and its guard goes on.
    if (entry.made?.stage && !due.pictures) continue;
    const note = drawPanel(entry);
    entry.note.textContent = note?.text ?? "";
    entry.note.title = note?.title ?? note?.text ?? "";
    entry.note.classList.toggle("warn", Boolean(note?.warn));
  }
  due.words = due.pictures = false;
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
      note = entry.made.draw(entry.made.stage ? frame : { state, arrays: frame.arrays });
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

// Buttons

$("stop").addEventListener("click", async () => {
  dismissAlarm();
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

/** Ask again and again for what is not in the stream. */
async function learn() {
  await learnControls(texts, connected);
  await chooseNeurons(texts, state);
  setTimeout(learn, 1000);
}

// For whoever looks into the page with the browser's own tools.
window.dashboard = {
  texts,
  get frame() { return frame; },
  get state() { return state; },
  panel: (id) => shown.get(id)?.made,
};

document.addEventListener("redraw", () => { due.pictures = true; });
connect();
learn();
draw();
