// SPDX-License-Identifier: Apache-2.0
// What can be changed in a simulation: the target's path, payload, wind, faults, pace.

const GROUPS = [
  ["Target", "target."], ["Payload and wind", "disturbance."], ["Faults", "faults."], ["Pace", "real_time_factor"],
];
const LABELS = {
  "target.kind": "path", "disturbance.payload_kg": "payload [kg]", "disturbance.wind_n": "wind [N]",
  "disturbance.wind_direction_deg": "wind towards [°]", "disturbance.gust_n": "gusts [N]",
  "disturbance.gust_time_s": "gusts last [s]", real_time_factor: "real-time factor",
};
const UNITS = { m_s: "m/s", rev_s: "rev/s", per_s: "1/s", m: "m", s: "s", deg: "°", hz: "Hz" };

function label(name) {
  if (LABELS[name]) return LABELS[name];
  const words = name.split(".").pop();
  const unit = Object.keys(UNITS).find((u) => words.endsWith(`_${u}`));
  const plain = (unit ? words.slice(0, -unit.length - 1) : words).replaceAll("_", " ");
  return unit ? `${plain} [${UNITS[unit]}]` : plain;
}

/** Show in a field what holds. */
function show({ parameter: { type, value }, input }) {
  if (type === "bool") input.checked = value;
  else input.value = type === "float" && value !== null ? Number(value.toPrecision(6)) : value;
}

export class SimulationPanel {
  static id = "simulation";
  static title = "Simulation";
  static weight = 2.2;
  static has = (frame, texts) => texts.nodes?.simulator && texts.controls?.simulator?.length;

  constructor(body, tools, about, act, texts) {
    this.act = act;
    this.texts = texts;
    this.box = document.createElement("div");
    this.box.className = "controls";
    body.append(this.box);
    this.note = null;
  }

  draw() {
    if (this.shown !== this.texts.controls) {
      this.shown = this.texts.controls;
      const parameters = this.shown.simulator;
      const kinds = JSON.stringify(parameters.map((p) => ({ ...p, value: undefined })));
      if (this.kinds === kinds) this.renew(parameters);
      else this.make(parameters);
      this.kinds = kinds;
    }
    return this.note;
  }

  make(parameters) {
    this.fields = new Map();
    this.box.replaceChildren(...GROUPS.flatMap(([title, prefix]) => {
      const found = parameters.filter((p) => p.name.startsWith(prefix));
      if (!found.length) return [];
      const set = document.createElement("fieldset");
      const legend = document.createElement("legend");
      legend.textContent = title;
      set.append(legend, ...found.map((p) => this.control(p)));
      return [set];
    }));
  }

  /** Show values that others have set, but not under the hands of whoever is at a field. */
  renew(parameters) {
    for (const parameter of parameters) {
      const field = this.fields.get(parameter.name);
      if (!field) continue;
      field.parameter = parameter;
      this.leave(field);
    }
  }

  leave(field) {
    if (!field.asked && document.activeElement !== field.input) show(field);
  }

  control(parameter) {
    const row = document.createElement("label");
    row.title = parameter.description;
    const name = document.createElement("span");
    name.textContent = label(parameter.name);
    const input = this.input(parameter);
    const field = { parameter, input, asked: 0 };
    this.fields.set(parameter.name, field);
    input.dataset.parameter = parameter.name;
    input.addEventListener("change", () => this.set(field));
    input.addEventListener("blur", () => this.leave(field));
    show(field);
    row.append(name, input);
    return row;
  }

  input(parameter) {
    if (parameter.type === "bool") {
      const box = document.createElement("input");
      box.type = "checkbox";
      return box;
    }
    if (parameter.choices.length) {
      const list = document.createElement("select");
      for (const choice of parameter.choices) list.add(new Option(choice.replaceAll("_", " "), choice));
      return list;
    }
    const field = document.createElement("input");
    field.type = parameter.type === "text" ? "text" : "number";
    if (field.type === "number") {
      if (parameter.low !== null) field.min = parameter.low;
      if (parameter.high !== null) field.max = parameter.high;
      field.step = parameter.type === "int" ? 1 : "any";
    }
    return field;
  }

  async set(field) {
    const { input, parameter: { name } } = field;
    if (input.type === "number" && !Number.isFinite(input.valueAsNumber)) {
      show(field); // an empty field asks for nothing
      return;
    }
    const value = input.type === "checkbox" ? input.checked : input.type === "number" ? Number(input.value) : input.value;
    field.asked += 1;
    const done = await this.act("set", { node: "simulator", name, value });
    field.asked -= 1;
    if (done) {
      field.parameter.value = value;
      this.note = { text: `${label(name)}: ${value}` };
      this.leave(field);
    } else show(field);
  }
}
