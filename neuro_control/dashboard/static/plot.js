// SPDX-License-Identifier: Apache-2.0
// Drawing on a canvas: sizes, colours, axes with units, curves, pictures.

const listeners = new Set();
export let colours = readColours();

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  const found = {};
  for (const name of ["page", "panel", "line", "text", "faint", "grid", "blue", "orange", "green",
    "vermilion", "purple", "sky"]) found[name] = read(name);
  found.cycle = ["blue", "orange", "green", "purple", "vermilion", "sky"].map((n) => found[n]);
  return found;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colours = readColours();
  for (const listener of listeners) listener();
});

/** Call back when light turns to dark or dark to light. */
export const onColours = (listener) => listeners.add(listener);

/** "#rrggbb" as [r, g, b]. */
export function rgb(hex) {
  const n = parseInt(hex.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

// Cividis (Nunez, Anderton and Renslow 2018), made for all kinds of colour vision, at five points.
const CIVIDIS = [[0, 32, 77], [64, 77, 107], [124, 123, 120], [187, 174, 108], [255, 234, 70]];

/** The colour of a share from 0 to 1. */
export function cividis(share) {
  const at = Math.min(Math.max(share, 0), 1) * 4;
  const i = Math.min(Math.floor(at), 3);
  return CIVIDIS[i].map((low, k) => Math.round(low + (CIVIDIS[i + 1][k] - low) * (at - i)));
}

/** A canvas that fills a stage, sharp on every screen. */
export class Stage {
  constructor(parent, label) {
    this.element = document.createElement("div");
    this.element.className = "stage";
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
    this.element.append(this.canvas);
    parent.append(this.element);
    this.context = this.canvas.getContext("2d");
    this.width = this.height = 0;
    new ResizeObserver(() => this.fit()).observe(this.element);
    this.fit();
  }

  fit() {
    const scale = Math.min(devicePixelRatio || 1, 2);
    const { clientWidth, clientHeight } = this.element;
    if (clientWidth === this.width && clientHeight === this.height) return;
    this.width = clientWidth;
    this.height = clientHeight;
    this.canvas.width = Math.max(Math.round(this.width * scale), 1);
    this.canvas.height = Math.max(Math.round(this.height * scale), 1);
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    // A canvas is wiped by its new size.
    document.dispatchEvent(new Event("redraw"));
  }

  /** The context, wiped; null while there is no room. */
  begin() {
    if (this.width < 10 || this.height < 10) return null;
    this.context.clearRect(0, 0, this.width, this.height);
    this.context.font = "11px system-ui, 'DejaVu Sans', sans-serif";
    this.context.lineWidth = 1;
    this.context.setLineDash([]);
    return this.context;
  }
}

/** A number with as many digits as are of use. */
export function short(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e9) return `${(value / 1e9).toPrecision(digits)} G`;
  if (size >= 1e6) return `${(value / 1e6).toPrecision(digits)} M`;
  if (size >= 1e4) return `${(value / 1e3).toPrecision(digits)} k`;
  if (size >= 1000) return value.toFixed(0);
  if (size === 0) return "0";
  return String(Number(value.toPrecision(digits)));
}

/** Round steps that divide a range into about `count` parts. */
export function ticks(low, high, count) {
  const rough = (high - low) / Math.max(count, 1);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    found.push(Number((i * step).toPrecision(12)));
  }
  return found;
}

/** The numbers at an upright axis so many pixels long: two at least, or one where there is less room. */
function uprightTicks([low, high], pixels) {
  const wanted = Math.max(pixels / 28, 1);
  let found = [];
  for (let count = wanted; count < wanted + 8 && found.length < 2; count++) {
    const finer = ticks(low, high, count);
    if (finer.length > 1 && (pixels / (high - low)) * (finer[1] - finer[0]) < 10) {
      if (!found.length) found = finer.slice(0, 1);
      break;
    }
    if (finer.length > found.length) found = finer;
  }
  return found;
}

/** Axes of a box: {x0, y0, x1, y1} in pixels, [low, high] of both axes, labels. */
export function axes(context, box, x, y, { xLabel = "", yLabel = "", xTicks = true, grid = true } = {}) {
  const px = (v) => box.x0 + ((v - x[0]) / (x[1] - x[0])) * (box.x1 - box.x0);
  const py = (v) => box.y1 - ((v - y[0]) / (y[1] - y[0])) * (box.y1 - box.y0);
  context.fillStyle = colours.faint;
  context.strokeStyle = colours.grid;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const v of uprightTicks(y, box.y1 - box.y0)) {
    if (grid) line(context, [[box.x0, py(v)], [box.x1, py(v)]]);
    context.fillText(short(v), box.x0 - 3, Math.max(py(v), 6));
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const v of ticks(x[0], x[1], Math.max((box.x1 - box.x0) / 70, 1))) {
    if (grid) line(context, [[px(v), box.y0], [px(v), box.y1]]);
    if (xTicks) context.fillText(short(v), px(v), box.y1 + 2);
  }
  if (xLabel) {
    context.textAlign = "right";
    context.fillText(xLabel, box.x1, box.y1 + 13);
  }
  if (yLabel) {
    context.textAlign = "left";
    context.textBaseline = "bottom";
    context.fillText(yLabel, box.x0, box.y0 - 1);
  }
  context.strokeStyle = colours.line;
  context.strokeRect(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
  return { px, py };
}

/** Text that stays readable upon what is drawn below it. */
export function haloed(context, text, x, y) {
  context.lineWidth = 3;
  context.strokeStyle = colours.panel;
  context.strokeText(text, x, y);
  context.lineWidth = 1;
  context.fillText(text, x, y);
}

/** For each time, whether more than `most` usual steps, and `least`, lie after the one before. */
export function gapsBefore(times, most, least = 0) {
  const steps = times.slice(1).map((t, i) => t - times[i]);
  const usual = [...steps].sort((a, b) => a - b)[steps.length >> 1];
  return times.map((_, i) => i > 0 && steps[i - 1] > Math.max(most * usual, least));
}

/** Points [time, value] of a curve; a point that is not finite lies where ticks are missing. */
export function brokenAtGaps(times, values, gaps = gapsBefore(times, 1.5)) {
  return values.flatMap((value, i) => (gaps[i] ? [[times[i], NaN], [times[i], value]] : [[times[i], value]]));
}

/** A line through points; it breaks where one is not finite. */
export function line(context, points) {
  context.beginPath();
  let pen = false;
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) pen = false;
    else if (pen) context.lineTo(x, y);
    else {
      context.moveTo(x, y);
      pen = true;
    }
  }
  context.stroke();
}

/** A picture of cells, drawn as large as it fits into a box, its cells left sharp. */
export class CellPicture {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.image = null;
  }

  /** The RGBA bytes of a picture of this size. */
  pixels(columns, rows) {
    if (!this.image || this.image.width !== columns || this.image.height !== rows) {
      this.canvas.width = columns;
      this.canvas.height = rows;
      this.image = this.context.createImageData(columns, rows);
    }
    return new Uint32Array(this.image.data.buffer);
  }

  draw(context, box, keepShape = false) {
    this.context.putImageData(this.image, 0, 0);
    let { x0, y0, x1, y1 } = box;
    if (keepShape) {
      const scale = Math.min((x1 - x0) / this.canvas.width, (y1 - y0) / this.canvas.height);
      const [w, h] = [this.canvas.width * scale, this.canvas.height * scale];
      x0 += (x1 - x0 - w) / 2;
      y0 += (y1 - y0 - h) / 2;
      [x1, y1] = [x0 + w, y0 + h];
    }
    context.imageSmoothingEnabled = false;
    context.drawImage(this.canvas, x0, y0, x1 - x0, y1 - y0);
    context.strokeStyle = colours.line;
    context.strokeRect(x0, y0, x1 - x0, y1 - y0);
    return { x0, y0, x1, y1 };
  }
}

/** [r, g, b] as a pixel of a little-endian Uint32Array. */
export const pixel = ([r, g, b], alpha = 255) => ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** The last seconds of a raster whose newest slices come with every frame. */
export class RasterHistory {
  constructor(columns) {
    this.columns = columns;
    this.bins = 0;
    this.newest = -1;
  }

  /** data: uint8[bins, slices], the last of them number `newest`. */
  add(data, bins, slices, newest) {
    if (bins !== this.bins || newest < this.newest) {
      this.bins = bins;
      this.counts = new Uint8Array(bins * this.columns);
      this.newest = newest - slices;
    }
    const { columns, counts } = this;
    const at = (slice) => ((slice % columns) + columns) % columns;
    // What was missed is empty, and not what was there a round ago.
    for (let s = Math.max(this.newest + 1, newest - columns + 1); s <= newest; s++) {
      for (let bin = 0; bin < bins; bin++) counts[bin * columns + at(s)] = 0;
    }
    for (let k = 0; k < Math.min(slices, columns); k++) {
      const place = at(newest - k);
      for (let bin = 0; bin < bins; bin++) {
        counts[bin * columns + place] = data[bin * slices + slices - 1 - k];
      }
    }
    this.newest = newest;
  }

  /** The count of a bin, `age` slices before the newest. */
  get(bin, age) {
    const { columns } = this;
    return this.counts[bin * columns + ((((this.newest - age) % columns) + columns) % columns)];
  }
}
