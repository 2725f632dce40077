// SPDX-License-Identifier: Apache-2.0
// Joint commands against positions, and the delay from sensor to command.

import { Stage, axes, brokenAtGaps, colours, gapsBefore, haloed, line, short } from "./plot.js";

const SECONDS = 10;
const MOST = 1200;
// So many usual steps, and seconds, between two samples are a gap: a slow page takes some late.
const GAP = 5;
const GAP_S = 0.3;

export class JointsPanel {
  static id = "joints";
  static title = "Joints";
  static weight = 3;
  static has = (frame) => "joints" in frame.arrays;

  constructor(body, tools, about) {
    this.stage = new Stage(body, "joint positions and commands over time");
    body.classList.add("fixed");
    this.names = about().joints.map((joint) => joint.name);
    this.samples = [];
    const legend = document.createElement("span");
    legend.innerHTML = '<b style="color:var(--blue)">— position</b> ' +
      '<b style="color:var(--orange)">- - command</b>';
    tools.append(legend);
  }

  draw({ state, arrays }) {
    const says = state.joints;
    const { data, shape: [, n] } = arrays.joints;
    const last = this.samples.at(-1);
    if (last && says.stamp_s < last.t) this.samples = [];
    if (!last || says.stamp_s > last.t) this.samples.push({ t: says.stamp_s, data: data.slice() });
    while (this.samples.length > MOST || says.stamp_s - this.samples[0]?.t > SECONDS) this.samples.shift();
    const velocity = says.command_is === "velocity";
    const note = { text: says.age_s > 0.5 ? `silent for ${short(says.age_s)} s` : velocity ? "velocity [rad/s]" : "position [rad]", warn: says.age_s > 0.5 };
    const context = this.stage.begin();
    if (!context) return note;
    this.times = this.samples.map((s) => s.t - says.stamp_s);
    this.gaps = gapsBefore(this.times, GAP, GAP_S);
    const across = this.stage.width > 330 ? 2 : 1;
    const down = Math.ceil(n / across);
    const [w, h] = [this.stage.width / across, (this.stage.height - 14) / down];
    for (let joint = 0; joint < n; joint++) {
      const [i, j] = [joint % across, Math.floor(joint / across)];
      const box = { x0: i * w + 40, y0: j * h + 14, x1: (i + 1) * w - 6, y1: (j + 1) * h - 3 };
      this.drawJoint(context, box, joint, n, velocity ? 1 : 0, j === down - 1);
    }
    return note;
  }

  drawJoint(context, box, joint, n, row, lowest) {
    if (box.y1 - box.y0 < 12) return;
    const curve = (r) => brokenAtGaps(this.times, this.samples.map((s) => s.data[r * n + joint]), this.gaps);
    const [position, command] = [curve(row), curve(2)];
    const values = [...position, ...command].map((p) => p[1]).filter(Number.isFinite);
    if (!values.length) return;
    let [low, high] = [Math.min(...values), Math.max(...values)];
    const spare = Math.max((0.1 - (high - low)) / 2, (high - low) * 0.1);
    [low, high] = [low - spare, high + spare];
    const { px, py } = axes(context, box, [-SECONDS, 0], [low, high],
      { xTicks: lowest, xLabel: "" });
    context.save();
    context.beginPath();
    context.rect(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
    context.clip();
    context.lineWidth = 1.6;
    context.strokeStyle = colours.blue;
    line(context, position.map(([t, v]) => [px(t), py(v)]));
    context.strokeStyle = colours.orange;
    context.setLineDash([5, 3]);
    line(context, command.map(([t, v]) => [px(t), py(v)]));
    context.restore();
    context.setLineDash([]);
    context.fillStyle = colours.text;
    context.textAlign = "left";
    context.textBaseline = "bottom";
    const name = (this.names[joint] ?? `joint ${joint}`).replace(/_joint$/, "").replaceAll("_", " ");
    context.fillText(name, box.x0, box.y0 - 2);
    context.textAlign = "right";
    const value = position.at(-1)[1];
    context.fillText(Number.isFinite(value) ? value.toFixed(3) : "–", box.x1, box.y0 - 2);
  }
}

/** A time in words, in seconds from one on. */
function milliseconds(ms) {
  return ms >= 1000 ? `${short(ms / 1000)} s` : `${short(ms)} ms`;
}

export class DelayPanel {
  static id = "delay";
  static title = "Delay, sensor to command";
  static weight = 1.7;
  static has = (frame) => "delays" in frame.arrays;

  constructor(body) {
    this.stage = new Stage(body, "histogram of the delay from sensor to command");
    body.classList.add("fixed");
  }

  draw({ state, arrays }) {
    const says = state.delay;
    const note = { text: `p99 ${milliseconds(says.p99_ms)} · median ${milliseconds(says.median_ms)}` };
    const context = this.stage.begin();
    if (!context) return note;
    const counts = arrays.delays.data;
    const box = this.box = { x0: 40, y0: 14, x1: this.stage.width - 8, y1: this.stage.height - 27 };
    const total = counts.reduce((a, b) => a + b, 0);
    const most = Math.max(...counts, 1) / total;
    const decades = counts.length / says.per_decade;
    const first = Math.log10(says.first_ms);
    // What is beyond the axis counts in its last bin, and is marked at its end.
    const px = (ms) => box.x0 + Math.min(Math.max((Math.log10(ms) - first) / decades, 0), 1) * (box.x1 - box.x0);
    const y = [0, most * 110];
    axes(context, box, [0, 1], y, { xTicks: false, yLabel: "commands of the last 10 s [%]" });
    context.fillStyle = colours.blue;
    const wide = (box.x1 - box.x0) / counts.length;
    counts.forEach((count, i) => {
      const tall = (count / total / (most * 1.1)) * (box.y1 - box.y0);
      context.fillRect(box.x0 + i * wide + 0.5, box.y1 - tall, Math.max(wide - 1, 1), tall);
    });
    context.fillStyle = colours.faint;
    context.textAlign = "center";
    context.textBaseline = "top";
    for (let d = 0; d <= decades; d++) {
      const ms = 10 ** (first + d);
      const last = d + 1 > decades;
      // The first would stand below the other axis' lowest number.
      context.textAlign = last ? "right" : d ? "center" : "left";
      context.fillText(last ? `≥${short(ms)}` : short(ms), px(ms), box.y1 + 2);
    }
    context.textAlign = "right";
    context.fillText("delay [ms]", box.x1, box.y1 + 13);
    this.marks = {};
    for (const [name, ms, dash] of [["median", says.median_ms, [2, 2]], ["p99", says.p99_ms, []]]) {
      context.strokeStyle = context.fillStyle = colours.vermilion;
      context.setLineDash(dash);
      this.marks[name] = px(ms);
      line(context, [[px(ms), box.y0], [px(ms), box.y1]]);
      context.setLineDash([]);
      context.textAlign = "left";
      // The later one may lie at the picture's edge.
      const left = px(ms) + 3 + context.measureText(name).width < this.stage.width;
      if (!left) context.textAlign = "right";
      haloed(context, name, px(ms) + (left ? 3 : -3), box.y0 + (name === "p99" ? 2 : 14));
    }
    return note;
  }
}
