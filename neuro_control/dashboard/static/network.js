// SPDX-License-Identifier: Apache-2.0
// Spikes by population with their rates; membranes, thresholds, currents of chosen neurons.

import {
  CellPicture, RasterHistory, Stage, axes, brokenAtGaps, colours, line, onColours, pixel, rgb, short,
} from "./plot.js";
import { sensorNote } from "./senses.js";

const SLICES = 600;
const MOST_PROBES = 4;
// Of the panel's width, that the names of populations may take.
const NAMES = 0.42;

/** The neurons that are probed, as the controller was last told. */
export const probes = {
  chosen: [],
  async set(neurons, act) {
    this.chosen = neurons.slice(-MOST_PROBES);
    await act("probe", { neurons: this.chosen.join(", ") });
  },
};

export class RasterPanel {
  static id = "raster";
  static title = "Network: spikes";
  static weight = 3.4;
  static has = (frame, texts) => "raster" in frame.arrays && texts.network?.rows;

  constructor(body, tools, about, act, texts) {
    this.stage = new Stage(body, "spikes of the network by population");
    this.stage.canvas.title = "click: show this neuron's membrane";
    body.classList.add("fixed");
    this.texts = texts;
    this.history = new RasterHistory(SLICES);
    this.picture = new CellPicture();
    this.stage.canvas.addEventListener("click", (event) => this.choose(event, act));
    this.recolour();
    onColours(() => this.recolour());
  }

  recolour() {
    this.ramps = [colours.faint, ...colours.cycle].map((colour) => {
      const [front, back] = [rgb(colour), rgb(colours.panel)];
      return Uint32Array.from({ length: 256 }, (_, count) => {
        const share = count ? Math.min(0.45 + count * 0.15, 1) : 0;
        return pixel(front.map((v, k) => Math.round(back[k] + (v - back[k]) * share)));
      });
    });
  }

  draw({ state, arrays }) {
    const says = state.raster;
    const { data, shape: [bins, slices] } = arrays.raster;
    this.history.add(data, bins, slices, says.slice);
    const rows = this.texts.network.rows;
    const note = sensorNote(says);
    // Run has the neurons' alone.
    for (const words of ["text", "title"]) note[words] = note[words]?.replace("events/s", "spikes/s, inputs included");
    const context = this.stage.begin();
    if (!context || rows.length !== says.bins.length) return note;
    const pixels = this.picture.pixels(SLICES, bins);
    this.bands = [];
    let first = 0;
    let neuron = 0;
    rows.forEach((row, r) => {
      const ramp = this.ramps[row.role === "input" ? 0 : 1 + (neuron++ % colours.cycle.length)];
      for (let bin = 0; bin < says.bins[r]; bin++) {
        const at = (first + bin) * SLICES + SLICES - 1;
        for (let age = 0; age < SLICES; age++) pixels[at - age] = ramp[this.history.get(first + bin, age)];
      }
      this.bands.push({ row, first, bins: says.bins[r], rate: says.rates_hz[r] });
      first += says.bins[r];
    });
    this.drawBands(context, bins, says);
    return note;
  }

  drawBands(context, bins, says) {
    const { width, height } = this.stage;
    const low = height - 27;
    // Every population is given some room, however small it is.
    const least = Math.min(13, (low - 4) / this.bands.length);
    const shared = Math.max(low - 4 - least * this.bands.length, 0);
    const seconds = SLICES * says.slice_s;
    this.picture.context.putImageData(this.picture.image, 0, 0);
    context.imageSmoothingEnabled = false;
    let y = 4;
    for (const band of this.bands) {
      const tall = least + (shared * band.bins) / bins;
      const rate = band.row.seen === false ? "not seen" : `${short(band.rate)} Hz`;
      band.words = tall > 28 ? [band.row.name, `${band.row.size} × ${rate}`] : [`${band.row.name} ${rate}`];
      band.y0 = y;
      band.y1 = y + tall - 2;
      y += tall;
    }
    const left = this.leftOf(context);
    for (const band of this.bands) {
      context.drawImage(this.picture.canvas, 0, band.first, SLICES, band.bins, left, band.y0, width - left - 6, band.y1 - band.y0);
      context.strokeStyle = colours.line;
      context.strokeRect(left, band.y0, width - left - 6, band.y1 - band.y0);
      context.fillStyle = colours.text;
      context.textAlign = "right";
      context.textBaseline = "middle";
      const middle = (band.y0 + band.y1) / 2;
      const [first, second] = band.words;
      context.fillText(first, left - 5, second ? middle - 7 : middle, left - 6);
      if (second) {
        context.fillStyle = colours.faint;
        context.fillText(second, left - 5, middle + 7, left - 6);
      }
    }
    context.fillStyle = colours.faint;
    context.textAlign = "center";
    context.textBaseline = "top";
    for (let s = -Math.floor(seconds); s <= 0; s++) {
      context.fillText(String(s), left + (1 + s / seconds) * (width - left - 6), low + 1);
    }
    context.textAlign = "right";
    context.fillText("time [s]", width - 6, low + 13);
    context.textAlign = "left";
    context.fillText("population, mean rate of a neuron", 2, low + 13);
  }

  /** Where the pictures begin: to the right of the longest words that there have been. */
  leftOf(context) {
    const key = `${this.stage.width} ${this.bands.map((band) => band.row.name)}`;
    if (this.leftKey !== key) [this.leftKey, this.left] = [key, 0];
    const words = this.bands.flatMap((band) => band.words);
    const wanted = Math.max(...words.map((text) => context.measureText(text).width)) + 9;
    this.left = Math.min(Math.max(this.left, wanted), NAMES * this.stage.width);
    return this.left;
  }

  choose(event, act) {
    const band = this.bands?.find((b) => event.offsetY >= b.y0 && event.offsetY <= b.y1);
    if (!band || band.row.role === "input" || band.row.seen === false) return;
    const share = (event.offsetY - band.y0) / (band.y1 - band.y0);
    const bin = Math.min(Math.floor(share * band.bins), band.bins - 1);
    const shown = Math.min(Math.floor(((bin + 0.5) * band.row.shown) / band.bins), band.row.shown - 1);
    const name = `${band.row.name}:${shown * (band.row.stride ?? 1)}`;
    if (!probes.chosen.includes(name)) probes.set([...probes.chosen, name], act);
  }
}

export class MembranesPanel {
  static id = "membranes";
  static title = "Chosen neurons";
  static weight = 2;
  static has = (frame, texts) => "membranes" in frame.arrays;

  constructor(body, tools, about, act, texts) {
    this.stage = new Stage(body, "membranes, thresholds and currents of chosen neurons");
    body.classList.add("fixed");
    this.texts = texts;
    this.act = act;
    this.input = document.createElement("input");
    this.input.type = "text";
    this.input.className = "neurons";
    this.input.title = "population:neuron, comma-separated; or click into the raster";
    this.input.addEventListener("change", () =>
      probes.set(this.input.value.split(",").map((w) => w.trim()).filter(Boolean), act));
    tools.append(this.input);
  }

  draw({ state, arrays }) {
    const { columns } = state.membranes;
    const { data, shape: [n, c] } = arrays.membranes;
    const names = columns.filter((name, i) => i && !/ (threshold|current)$/.test(name));
    probes.chosen = names;
    if (document.activeElement !== this.input) this.input.value = names.join(", ");
    const unit = this.texts.network?.voltage_unit?.split(";")[0] ?? "";
    const context = this.stage.begin();
    if (!context || !n) return null;
    const each = (this.stage.height - 27) / names.length;
    const beside = each < 45; // no room for a line of its own above each
    const left = beside ? 44 + Math.max(...names.map((name) => context.measureText(name).width)) : 52;
    names.forEach((name, i) => {
      const at = ["", " threshold", " current"].map((what) => columns.indexOf(name + what));
      const box = { x0: left, y0: i * each + (beside ? 2 : 14), x1: this.stage.width - 6, y1: (i + 1) * each - 3 };
      this.drawNeuron(context, box, data, n, c, at, i === names.length - 1);
      context.fillStyle = colours.text;
      context.textAlign = "left";
      context.textBaseline = beside ? "middle" : "bottom";
      if (beside) context.fillText(name, 2, (box.y0 + box.y1) / 2);
      else context.fillText(name, box.x0, box.y0 - 2);
    });
    this.drawLegend(context, unit);
    return null;
  }

  drawLegend(context, unit) {
    context.textAlign = "left";
    context.textBaseline = "top";
    let x = 2;
    for (const [words, colour] of [["— membrane", colours.blue], ["- - threshold", colours.vermilion],
      ["·· current", colours.green], [unit, colours.faint]]) {
      context.fillStyle = colour;
      context.fillText(words, x, this.stage.height - 13);
      x += context.measureText(words).width + 10;
    }
  }

  drawNeuron(context, box, data, n, c, places, lowest) {
    if (box.y1 - box.y0 < 10) return;
    const column = (k) => (k < 0 ? [] : Array.from({ length: n }, (_, i) => data[i * c + k]));
    const t = column(0).map((s) => s * 1e3);
    const [membrane, threshold, current] = places.map(column);
    const top = Math.max(...threshold.filter(Number.isFinite), ...membrane.filter(Number.isFinite), 1);
    // A current that leaves the picture is cut off: the membrane must stay readable.
    const low = Math.min(...membrane.filter(Number.isFinite), ...current.filter((v) => v > -top / 2), 0);
    const { px, py } = axes(context, box, [-500, 0], [low, top * 1.1],
      { xTicks: lowest, xLabel: lowest ? "time [ms]" : "" });
    context.save();
    context.beginPath();
    context.rect(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
    context.clip();
    for (const [values, colour, dash, thick] of [
      [current, colours.green, [1.5, 2], 1.2],
      [membrane, colours.blue, [], 1.4],
      [threshold, colours.vermilion, [5, 3], 1.4],
    ]) {
      context.lineWidth = thick;
      context.strokeStyle = colour;
      context.setLineDash(dash);
      line(context, brokenAtGaps(t, values).map(([time, value]) => [px(time), py(value)]));
    }
    context.restore();
    context.setLineDash([]);
  }
}
