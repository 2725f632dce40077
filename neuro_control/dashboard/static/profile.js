// SPDX-License-Identifier: Apache-2.0
// What each node of the network costs, those that dominate first; where activity dies, and why.

import { element } from "./elements.js";
import { short } from "./plot.js";

// By what the rows can be sorted: title, value of a node, in words.
const COLUMNS = {
  // What is left of a whole can come out below nothing, by the noise of its parts.
  us: ["µs/tick", (node) => node.us, (v) => Math.max(v, 0).toFixed(2)],
  operations: ["syn. ops/s", (node, s) => node.operations === null ? null : node.operations / s, short],
  spikes: ["spikes/s", (node, s) => node.spikes === null ? null : node.spikes / s, short],
};
const MISSING = "–";

/** The factors of a finding in words, or its whole text where it has none. */
function factors({ text, figures }) {
  const { weight_factor: weights, threshold_factor: thresholds } = figures;
  const ways = [];
  if (Number.isFinite(weights)) ways.push(`weights × ${weights.toPrecision(3)}`);
  if (Number.isFinite(thresholds)) ways.push(`thresholds × ${thresholds.toPrecision(3)}`);
  return ways.length ? `${ways.join(" or ")} would bring its first spike` : text;
}

export class ProfilePanel {
  static id = "profile";
  static title = "Network: cost by node";
  static weight = 2;
  static has = (frame, texts) => texts.profile?.nodes?.length || texts.profile?.error;

  constructor(body, tools, about, act, texts) {
    this.texts = texts;
    this.by = null;
    const stack = element("div", undefined, "stack");
    this.silence = element("div", undefined, "silence");
    this.table = element("table", undefined, "cost");
    this.makeHead();
    stack.append(this.silence, this.table);
    body.append(stack);
  }

  draw({ state }) {
    const said = this.texts.profile;
    if (said.error) return { text: said.error, warn: true };
    if (this.drawn !== this.texts.version) {
      this.drawn = this.texts.version;
      this.drawTable(said);
      this.drawSilence(said.silence);
    }
    const { times } = said;
    const age = state.profile?.age_s ?? 0;
    if (age > 2.5) return { text: `${age.toFixed(0)} s old`, warn: true };
    if (!times) return { text: said.times_missing ? `no times: ${said.times_missing}` : "times are being taken" };
    return {
      text: `tick, alone: ${times.whole_us.toFixed(1)} µs`,
      title: `Spikes and operations: counted, in the last ${said.ticks} ticks, for a second of them. Times: of a core by itself, when the ` +
        `input of ${times.ticks} ticks was gone through again in a process beside the controller ` +
        `(${times.age_s.toFixed(0)} s ago; it took ${times.processor_s.toFixed(2)} s of a core). The nodes explain ` +
        `${(times.coverage * 100).toFixed(0)} % of the whole, ${times.overhead_us.toFixed(2)} µs of which are the call's own.`,
    };
  }

  /** Made once: a button that was replaced between press and release would miss its click. */
  makeHead() {
    this.head = element("tr");
    this.head.append(element("th", "node"));
    this.buttons = Object.keys(COLUMNS).map((key) => {
      const cell = element("th");
      const button = element("button");
      button.title = "what dominates by this first";
      button.dataset.sort = key;
      button.addEventListener("click", () => {
        this.by = key;
        this.drawTable(this.texts.profile);
      });
      cell.append(button);
      this.head.append(cell);
      return button;
    });
    this.table.append(this.head);
  }

  drawTable(said) {
    const seconds = said.ticks * said.dt_s;
    const by = this.by ?? (said.times ? "us" : "operations");
    for (const button of this.buttons) {
      const { sort } = button.dataset;
      button.textContent = `${COLUMNS[sort][0]}${sort === by ? " ▼" : ""}`;
    }
    const of = COLUMNS[by][1];
    const nodes = [...said.nodes].sort((a, b) => (of(b, seconds) ?? -1) - (of(a, seconds) ?? -1));
    const sums = Object.fromEntries(Object.entries(COLUMNS).map(([key, [, value]]) =>
      [key, nodes.reduce((sum, node) => sum + Math.max(value(node, seconds) ?? 0, 0), 0)]));
    const rows = nodes.map((node) => {
      const row = element("tr");
      row.dataset.node = node.name;
      row.title = (node.into ?? []).map((q) => `${q.name}: ${q.operations === null ? "operations not seen"
        : `${short(q.operations / said.ticks)} operations a tick`}${q.us === null ? "" : `, ${q.us.toFixed(3)} µs`}`).join("\n");
      row.append(element("td", node.name));
      for (const [key, [, value, words]] of Object.entries(COLUMNS)) {
        const v = value(node, seconds);
        const cell = element("td", v === null ? MISSING : words(v));
        cell.dataset.column = key;
        if (v !== null && sums[key] > 0) cell.style.setProperty("--share", `${(100 * Math.max(v, 0)) / sums[key]}%`);
        row.append(cell);
      }
      return row;
    });
    for (const row of [...this.table.rows].slice(1)) row.remove();
    this.table.append(...rows);
  }

  drawSilence(silence) {
    this.silence.replaceChildren(...(silence?.findings ?? []).map((finding) => {
      const line = element("p");
      line.dataset.silent = finding.node;
      line.title = `${finding.text}\nmend it by: ${finding.remedy ?? ""}`;
      line.append(element("b", `${finding.node}: ${finding.cause}`), `. ${factors(finding)}`);
      return line;
    }));
  }
}
