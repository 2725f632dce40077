// SPDX-License-Identifier: Apache-2.0
// The header: the way of the data from sensor to robot, what the robot does, what is recorded.

import { short } from "./plot.js";

/** What has said nothing for this long is silent (s). */
export const SILENT_S = 0.3;
const STAGES = { camera: "event camera", joints: "joints", controller: "controller", guard: "guard → robot" };

const $ = (id) => document.getElementById(id);

export function drawFlow(state) {
  const list = $("flow");
  for (const [name, label] of Object.entries(STAGES)) {
    const stage = state.flow?.[name] ?? { there: false };
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
    item.title = "messages a second of the wall clock";
    item.dataset.state = !stage.there ? "absent" : silent ? "silent" : "flows";
    item.lastChild.textContent = !stage.there ? "absent"
      : stage.age_s === null ? "⚠ nothing yet"
        : silent ? `⚠ silent ${stage.age_s.toFixed(1)} s` : `${short(stage.rate_hz)} Hz`;
  }
}

/** pictures: in words, how often they come, or that they stand still. */
export function drawState(state, texts, pictures) {
  const { nodes, recording } = texts;
  const doing = nodes?.controller?.values.controller_state;
  const because = nodes?.controller?.values.no_data_because;
  const held = nodes?.guard?.values.stopped_because;
  const time = state.joints?.stamp_s ?? state.camera?.stamp_s;
  const said = document.createElement("b");
  said.textContent = held ? `held: ${held.replaceAll("_", " ").replaceAll(",", ", ")}` : because || doing || "";
  const parts = [];
  // A stamp of decades is the wall clock's.
  if (time !== undefined && time < 1e8) parts.push(`t = ${time.toFixed(1)} s`);
  parts.push(pictures);
  // It may take two lines, but breaks only between its parts.
  $("state").replaceChildren(said, ` ${parts.map((part) => part.replaceAll(" ", "\u00a0")).join(" · ")}`);
  $("state").title = said.textContent;
  $("release").hidden = !held;
  $("record").setAttribute("aria-pressed", String(Boolean(recording?.on)));
  $("record").textContent = recording?.on
    ? recording.began_s ? `Rec ${(state.wall_s - recording.began_s).toFixed(0)} s` : "Rec starts" : "Record";
  $("record").title = recording?.on && !recording.began_s ? "the recorder starts; nothing is recorded yet"
    : recording?.on ? `${recording.messages} messages are recorded to ${recording.file}; press to end`
    : recording?.file ? `recorded to ${recording.file}` : "record every topic of the robot";
}
