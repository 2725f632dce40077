// SPDX-License-Identifier: Apache-2.0
// The bar of a replay: play, pause, time, speed.

/** Draw the bar of a replay; there is none without one. */
export function drawReplay(bar, texts, act) {
  const says = texts.replay;
  bar.hidden = !says;
  if (!says) return;
  if (!bar.firstChild) makeReplay(bar, texts, act);
  const [button, slider, text, rate] = bar.children;
  button.textContent = says.paused ? "▶ Play" : "❚❚ Pause";
  if (says.duration_s) slider.max = says.duration_s;
  if (!slider.dataset.held) slider.value = says.position_s;
  const total = says.duration_s ? `${says.duration_s.toFixed(1)} s` : "…";
  text.textContent = `${says.position_s.toFixed(1)} of ${total}${says.ended ? " · at the end" : ""}`;
  if (document.activeElement !== rate) rate.value = says.rate;
}

function makeReplay(bar, texts, act) {
  const button = document.createElement("button");
  button.addEventListener("click", () => act("replay", { pause: !texts.replay.paused }));
  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = 0;
  slider.step = 0.01;
  slider.setAttribute("aria-label", "time in the recording");
  slider.addEventListener("input", () => { slider.dataset.held = "1"; });
  slider.addEventListener("change", async () => {
    await act("replay", { seek_s: Number(slider.value) });
    delete slider.dataset.held;
  });
  const rate = document.createElement("select");
  rate.setAttribute("aria-label", "speed");
  for (const times of [0.1, 0.25, 0.5, 1, 2, 4]) rate.add(new Option(`× ${times}`, times));
  rate.addEventListener("change", () => act("set", { node: "replay", name: "rate", value: Number(rate.value) }));
  bar.append(button, slider, document.createElement("span"), rate);
}
