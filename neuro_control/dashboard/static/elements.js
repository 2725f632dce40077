// SPDX-License-Identifier: Apache-2.0
// Elements of the document, and figures in words.

export function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** Figures in words: [[name, value, unit, warn, title], ...] into a <dl>. */
export function fill(list, figures) {
  list.replaceChildren(...figures.map(([name, value, unit, warn, title]) => {
    const entry = element("div");
    if (title) entry.title = title;
    entry.dataset.figure = name;
    const what = element("dd", value, warn ? "warn" : "");
    if (unit) what.append(" ", element("small", unit));
    entry.append(element("dt", name), what);
    return entry;
  }));
}
