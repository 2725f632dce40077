// SPDX-License-Identifier: Apache-2.0
// The banner below the header: a warning, a note, an alarm, or nothing.

const banner = document.getElementById("banner");

/** Show a text: a "warning" or a "note"; "" shows nothing. */
export function say(text, kind = "warning") {
  // Only another press of the stop button, or a click on it, takes an alarm away.
  if (banner.dataset.kind === "alarm" && kind !== "alarm") return;
  banner.textContent = text;
  banner.dataset.kind = kind;
  banner.hidden = !text;
}

/** A stop that did not stop is shouted; all else that was refused is said. */
export function complain(name, reason) {
  if (name === "stop") say(`NOT STOPPED: ${reason}`, "alarm");
  else say(`${name}: ${reason}`);
}

/** Take away whatever is shown, an alarm too. */
function dismiss() {
  banner.dataset.kind = "";
  say("");
}

/** Take away an alarm, if there is one. */
export function dismissAlarm() {
  if (banner.dataset.kind === "alarm") dismiss();
}

banner.addEventListener("click", dismiss);
