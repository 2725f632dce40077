// SPDX-License-Identifier: Apache-2.0
// How well everything does, what it costs, what the guard did and why.

import { element, fill } from "./elements.js";
import { SILENT_S } from "./header.js";
import { short } from "./plot.js";

const number = (node, key) => {
  const value = Number.parseFloat(node?.values?.[key]);
  return Number.isFinite(value) ? value : null;
};

const CLOCK = "a second of the robot's clock: in a simulation, a simulated one";

export class HealthPanel {
  static id = "health";
  static title = "Run";
  static weight = 2.4;
  static has = (frame, texts) => texts.nodes && Object.keys(texts.nodes).length > 0;

  constructor(body, tools, about, act, texts) {
    this.texts = texts;
    const stack = element("div", undefined, "stack");
    this.figures = element("dl", undefined, "figures");
    this.table = element("table", undefined, "nodes");
    stack.append(this.figures, this.table);
    body.append(stack);
  }

  draw() {
    if (this.drawn === this.texts.version) return null;
    this.drawn = this.texts.version;
    const { nodes, cost } = this.texts;
    const { controller, simulator, replay } = nodes;
    const figures = [];
    const pace = number(simulator, "real_time_factor");
    if (pace !== null) {
      figures.push(["real time", `×${pace.toFixed(2)}`, "", pace < 0.9, "simulated time over wall-clock time"]);
    }
    const error = number(simulator, "tracking_error_deg");
    if (error !== null) figures.push(["off target", `${short(error)}°`, "", error > 6]);
    if (controller) {
      figures.push(["events taken in", short(controller.rates?.events), "1/s", false, CLOCK]);
      const count = (key) => number(controller, key) ?? 0;
      // As a run's report has them. What was sent again is not dropped; what came too late was
      // counted as lost before.
      const lost = count("packets_lost");
      const dropped = count("packets_dropped") - count("dropped_duplicate") - count("dropped_out_of_order");
      figures.push(["packets lost", short(lost), `of ${short(lost + count("packets"))}`, lost > 0,
        "packets that the controller missed, by gaps in their numbers"]);
      figures.push(["packets dropped", short(dropped), "", dropped > 0,
        "packets that came and were not used, such as those behind which too many others waited"]);
      figures.push(["tick, in the loop", short(number(controller, "tick_us_median")), "µs", false,
        "one step of the network as the controller waits for it, median; by itself it is faster: see its cost by node"]);
    }
    if (cost) {
      figures.push(["neurons' spikes", short(cost.spikes_per_s), "1/s", false, `without the inputs' spikes; ${CLOCK}`]);
      figures.push(["synaptic ops", short(cost.operations_per_s), "1/s", false, CLOCK]);
      for (const [device, power] of Object.entries(cost.power)) {
        const [value, unit] = power.watt < 1e-3 ? [power.watt * 1e6, "µW"] : [power.watt * 1e3, "mW"];
        figures.push([`est. power, ${device}`, short(value), unit, false,
          `an estimate from counts, not measured: what ${power.name} would take; ${power.evidence} (${power.source})`]);
      }
    }
    if (controller?.values.backend) {
      const state = controller.values.backend_state;
      figures.push(["backend", controller.values.backend, state ?? "", state && state !== "in step",
        controller.values.backend_reason]);
    }
    if (!controller && replay) figures.push(["played", short(number(replay, "sim_time_s")), "s"]);
    fill(this.figures, figures);
    const signs = { ok: "●", warning: "▲", error: "✖", stale: "○" };
    const rows = Object.entries(nodes).map(([name, node]) => {
      const row = element("tr");
      row.dataset.node = name;
      row.dataset.level = node.level;
      const bad = node.level !== "ok";
      const said = node.level === "stale" ? "says nothing any more" : node.message;
      row.append(element("td", `${signs[node.level]} ${name}`, bad ? "warn" : ""), element("td", said, bad ? "warn" : ""));
      row.title = Object.entries(node.values).map(([key, value]) => `${key}: ${value}`).join("\n");
      return row;
    });
    const dies = controller?.values.activity_dies_at;
    if (dies) {
      const row = element("tr");
      row.id = "activity_dies_at";
      row.title = "populations that do not spike although what they hear does; there may be a good reason";
      row.append(element("td", "spikes end"), element("td", dies));
      rows.push(row);
    }
    this.table.replaceChildren(...rows);
    return null;
  }
}

export class GuardPanel {
  static id = "guard";
  static title = "Guard";
  static weight = 1.6;
  static has = (frame, texts) => texts.nodes?.guard;

  constructor(body, tools, about, act, texts) {
    this.texts = texts;
    this.stack = element("div", undefined, "stack");
    body.append(this.stack);
  }

  draw({ state }) {
    const guard = this.texts.nodes.guard;
    const because = guard.values.stopped_because ?? "";
    const verdict = this.verdict(guard, because, state.flow?.guard);
    if (this.drawn === this.texts.version && this.said === verdict[0]) return null;
    this.drawn = this.texts.version;
    [this.said] = verdict;
    const words = because.replaceAll("_", " ").replaceAll(",", ", ");
    const title = element("p", verdict[0], `verdict ${verdict[1]}`);
    title.dataset.because = because;
    const why = element("p", because ? `because: ${words}` : guard.message === "ok" ? "" : guard.message, "why");
    const counts = element("dl", undefined, "figures");
    fill(counts, [
      ["commands", short(number(guard, "commands"))],
      ["let through", short(number(guard, "commands_passed"))],
      ["interventions", short(number(guard, "interventions")), "", number(guard, "interventions") > 0],
    ]);
    const reasons = element("ul", undefined, "reasons");
    for (const entry of this.texts.reasons ?? []) {
      const line = element("li");
      line.append(
        element("time", entry.earlier ? "before" : new Date(entry.at_s * 1e3).toLocaleTimeString([], { hour12: false })),
        element("span", entry.reason.replaceAll("_", " ")),
        element("span", `× ${short(entry.count)}`, "n"));
      reasons.append(line);
    }
    this.stack.replaceChildren(title, why, counts, reasons);
    return null;
  }

  /** In words, and its kind: "ok" only while commands really come out of the guard. */
  verdict(guard, because, flow) {
    if (guard.level === "stale") return ["○ the guard is silent", "held"];
    if (because.includes("emergency_stop")) return ["✖ emergency stop", "held"];
    if (because) return ["✖ the robot is held", "held"];
    if (this.texts.replay?.paused) return ["❚❚ the recording stands", "idle"];
    if (number(guard, "commands") === 0) return ["○ no command yet", "idle"];
    // A command that is refused has a hold go out in its place.
    const { commands, commands_passed: passed } = guard.rates ?? {};
    if (number(guard, "commands_passed") === 0 || (commands > 0 && passed === 0)) {
      return ["✖ commands are refused", "held"];
    }
    const passes = flow?.there && flow.age_s !== null && flow.age_s <= SILENT_S;
    return passes ? ["✔ commands pass", "ok"] : ["○ nothing comes", "idle"];
  }
}
