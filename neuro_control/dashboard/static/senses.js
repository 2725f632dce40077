// SPDX-License-Identifier: Apache-2.0
// Eye, skin and ears.

import { CellPicture, RasterHistory, Stage, axes, cividis, colours, onColours, pixel, rgb, short }
  from "./plot.js";

// The codes of EventPicture: age = NEWEST * exp((127 - code) / PER_E_FOLD).
const NEWEST_MS = 0.1;
const PER_E_FOLD = 126 / Math.log(1e5);
const ageMs = (code) => NEWEST_MS * Math.exp((127 - (code & 127)) / PER_E_FOLD);

/** Look-up tables from code to pixel: polarity within a window, time surface with a decay. */
function tables(windowMs) {
  const [on, off, none] = [rgb(colours.vermilion), rgb(colours.blue), rgb(colours.panel)];
  const polarity = new Uint32Array(256).fill(pixel(none));
  const surface = new Uint32Array(256).fill(pixel(cividis(0)));
  for (let code = 0; code < 256; code++) {
    if (!(code & 127)) continue;
    const age = ageMs(code);
    if (age <= windowMs) polarity[code] = pixel(code & 128 ? on : off);
    surface[code] = pixel(cividis(Math.exp(-age / windowMs)));
  }
  return { polarity, surface };
}

/** What the note of a sensor says: its rate, and that it is sampled, if it is. */
export function sensorNote(says) {
  if (says.refused) return { text: says.refused, warn: true };
  const rate = short(says.events_per_s);
  const clock = "a second of the sensor's clock: in a simulation, a simulated one";
  if (says.shown < 0.995) {
    const part = `${short(says.shown * 100, 2)} %`;
    return {
      text: `${part} of ${rate}/s`, warn: true,
      title: `a sample, ${part} of ${rate} events/s, is drawn (${clock})`,
    };
  }
  return { text: `${rate} events/s`, title: clock, warn: false };
}

export class CameraPanel {
  static id = "camera";
  static title = "Event camera";
  static weight = 3.6;
  static has = (frame) => "camera" in frame.arrays;

  constructor(body, tools) {
    this.stage = new Stage(body, "event camera: polarity image and time surface");
    body.classList.add("fixed");
    const label = document.createElement("label");
    label.textContent = "window ";
    this.window = document.createElement("select");
    for (const ms of [2, 5, 10, 20, 50, 100, 500]) {
      this.window.add(new Option(`${ms} ms`, ms, ms === 20, ms === 20));
    }
    label.append(this.window);
    tools.append(label);
    this.pictures = [new CellPicture(), new CellPicture()];
    const retable = () => { this.tables = tables(Number(this.window.value)); };
    this.window.addEventListener("change", retable);
    onColours(retable);
    retable();
  }

  draw({ state, arrays }) {
    const { data, shape: [rows, columns] } = arrays.camera;
    const context = this.stage.begin();
    if (!context) return sensorNote(state.camera);
    const { width, height } = this.stage;
    // Side by side or one above the other: whichever leaves more room for each.
    const fits = (w, h) => Math.min((w - 6) / columns, (h - 17) / rows);
    const beside = fits(width / 2, height) >= fits(width, height / 2);
    const names = ["polarity", "surface"];
    this.boxes = names.map((name, i) => {
      const pixels = this.pictures[i].pixels(columns, rows);
      const table = this.tables[name];
      for (let k = 0; k < data.length; k++) pixels[k] = table[data[k]];
      const [w, h] = beside ? [width / 2, height] : [width, height / 2];
      const [x, y] = beside ? [i * w, 0] : [0, i * h];
      const box = { x0: x + 3, y0: y + 2, x1: x + w - 3, y1: y + h - 15 };
      const drawn = this.pictures[i].draw(context, box, true);
      this.legend(context, name, drawn, state.camera);
      return drawn;
    });
    return sensorNote(state.camera);
  }

  legend(context, name, box, camera) {
    context.textBaseline = "top";
    context.textAlign = "left";
    const y = box.y1 + 3;
    if (name === "polarity") {
      context.fillStyle = colours.vermilion;
      context.fillText("■ on", box.x0, y);
      context.fillStyle = colours.blue;
      context.fillText("■ off", box.x0 + 32, y);
      context.fillStyle = colours.faint;
      context.fillText(`${camera.width} × ${camera.height} px`, box.x0 + 68, y);
      return;
    }
    const bar = 44;
    for (let i = 0; i < bar; i++) {
      context.fillStyle = `rgb(${cividis(i / bar)})`;
      context.fillRect(box.x0 + 22 + i, y + 2, 1, 9);
    }
    context.fillStyle = colours.faint;
    context.fillText("old", box.x0, y);
    context.fillText(`now · decay ${this.window.value} ms`, box.x0 + 26 + bar, y);
  }
}

export class SkinPanel {
  static id = "skin";
  static title = "Skin";
  static weight = 1.7;
  static has = (frame) => "pressure" in frame.arrays || "afferents" in frame.arrays;

  constructor(body) {
    this.stage = new Stage(body, "skin: pressure and afferent spikes");
    body.classList.add("fixed");
    this.pressure = new CellPicture();
    this.bands = ["SA-I", "FA-I", "FA-II"].map(() => new CellPicture());
    this.largest = 1e-9;
    const retable = () => { this.table = tables(50).surface; };
    onColours(retable);
    retable();
  }

  draw({ state, arrays }) {
    const context = this.stage.begin();
    if (!context) return null;
    const parts = [];
    this.boxes = {};
    if (arrays.pressure) parts.push(["pressure [N]", (box) => this.drawPressure(arrays.pressure, context, box)]);
    if (arrays.afferents) {
      ["SA-I", "FA-I", "FA-II"].forEach((name, band) =>
        parts.push([name, (box) => this.drawBand(arrays.afferents, band, context, box)]));
    }
    const { width, height } = this.stage;
    parts.forEach(([name, draw], i) => {
      const w = width / parts.length;
      const box = { x0: i * w + 3, y0: 14, x1: (i + 1) * w - 3, y1: height - 14 };
      const drawn = draw(box);
      this.boxes[name] = drawn;
      context.fillStyle = colours.faint;
      context.textAlign = "left";
      context.textBaseline = "bottom";
      context.fillText(i ? `${name} spikes` : name, drawn.x0, drawn.y0 - 1);
    });
    const says = state.skin;
    return says.events_per_s === undefined ? null : sensorNote(says);
  }

  drawPressure({ data, shape: [rows, columns] }, context, box) {
    let most = 0;
    for (const value of data) most = Math.max(most, value);
    this.largest = Math.max(most, this.largest * 0.995, 1e-9);
    const pixels = this.pressure.pixels(columns, rows);
    for (let k = 0; k < data.length; k++) pixels[k] = pixel(cividis(data[k] / this.largest));
    const drawn = this.pressure.draw(context, box, true);
    context.fillStyle = colours.faint;
    context.textAlign = "left";
    context.textBaseline = "top";
    context.fillText(`0 … ${short(this.largest, 2)} N, sum ${short(data.reduce((a, b) => a + b, 0), 2)} N`,
      drawn.x0, drawn.y1 + 2, box.x1 - box.x0);
    return drawn;
  }

  drawBand({ data, shape: [rows, columns] }, band, context, box) {
    const size = Math.floor(rows / 3);
    const pixels = this.bands[band].pixels(columns, size);
    const first = band * size * columns;
    for (let k = 0; k < pixels.length; k++) pixels[k] = this.table[data[first + k]];
    return this.bands[band].draw(context, box, true);
  }
}

export class EarsPanel {
  static id = "ears";
  static title = "Ears";
  static weight = 2;
  static has = (frame) => "ears" in frame.arrays;
  static SLICES = 300;

  constructor(body) {
    this.stage = new Stage(body, "cochleagram of both ears");
    body.classList.add("fixed");
    this.history = new RasterHistory(EarsPanel.SLICES);
    this.pictures = [];
  }

  draw({ state, arrays }) {
    const says = state.ears;
    const { data, shape: [bins, slices] } = arrays.ears;
    this.history.add(data, bins, slices, says.slice);
    const context = this.stage.begin();
    if (!context) return sensorNote(says);
    const ears = says.bins.length;
    const { width, height } = this.stage;
    const names = ears === 2 ? ["left", "right"] : ["one ear"];
    const each = (height - 32) / ears;
    this.boxes = [];
    let first = 0;
    says.bins.forEach((channels, ear) => {
      const box = { x0: 44, y0: 12 + ear * each, x1: width - 6, y1: 12 + (ear + 1) * each - 6 };
      this.boxes.push(box);
      this.drawEar(ear, first, channels, context, box);
      first += channels;
      const seconds = EarsPanel.SLICES * says.slice_s;
      axes(context, box, [-seconds, 0], [0, channels], {
        xLabel: ear === ears - 1 ? "time [s]" : "", xTicks: ear === ears - 1,
        yLabel: ear ? "" : "channel [low → high frequency]", grid: false,
      });
      context.fillStyle = "#ffffff"; // on cividis' dark end, whatever the scheme
      context.textAlign = "left";
      context.textBaseline = "top";
      context.fillText(names[ear] ?? `ear ${ear}`, box.x0 + 5, box.y0 + 3);
    });
    const note = sensorNote(says);
    if (says.time_difference_us !== null && says.time_difference_us !== undefined) {
      const side = says.time_difference_us > 0 ? "right" : "left";
      note.text += ` · from the ${side}, ${short(Math.abs(says.time_difference_us))} µs`;
    }
    return note;
  }

  drawEar(ear, first, channels, context, box) {
    const columns = EarsPanel.SLICES;
    this.pictures[ear] ??= new CellPicture();
    const pixels = this.pictures[ear].pixels(columns, channels);
    for (let channel = 0; channel < channels; channel++) {
      const row = channels - 1 - channel;
      for (let age = 0; age < columns; age++) {
        const count = this.history.get(first + channel, age);
        pixels[row * columns + columns - 1 - age] =
          count ? pixel(cividis(0.25 + 0.75 * Math.min(count / 8, 1))) : pixel(cividis(0));
      }
    }
    this.pictures[ear].draw(context, box);
  }
}
