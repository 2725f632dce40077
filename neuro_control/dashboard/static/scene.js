// SPDX-License-Identifier: Apache-2.0
// The robot in 3D: viser's page in a frame, or why it cannot be.

function hasWebGl() {
  const context = document.createElement("canvas").getContext("webgl2");
  if (!context) return false;
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return true;
}

export class ScenePanel {
  static id = "scene";
  static title = "Robot";
  static weight = 3.6;
  static has = (frame, texts) => texts.about?.scene;

  constructor(body, tools) {
    body.classList.add("fixed");
    if (!hasWebGl()) {
      const words = document.createElement("p");
      words.className = "words";
      words.id = "no_webgl";
      words.textContent = "This browser has no WebGL 2, so the robot cannot be shown in 3D here. Everything else works.";
      body.append(words);
      return;
    }
    const stage = document.createElement("div");
    stage.className = "stage";
    this.frame = document.createElement("iframe");
    this.frame.title = "the robot in 3D";
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const load = () => { this.frame.src = `scene/${dark.matches ? "?darkMode" : ""}`; };
    dark.addEventListener("change", load);
    // Of viser's page only the scene is wanted, and not its own panels.
    this.frame.addEventListener("load", () => {
      const style = this.frame.contentDocument.createElement("style");
      style.textContent = "body * { visibility: hidden } canvas { visibility: visible !important }";
      this.frame.contentDocument.head.append(style);
    });
    load();
    stage.append(this.frame);
    body.append(stage);
    const legend = document.createElement("span");
    legend.innerHTML = '<b style="color:var(--vermilion)">● target</b> ' +
      '<b style="color:var(--green)">— seen there</b> <b style="color:var(--blue)">◿ field of view</b> ' +
      '<b style="color:var(--orange)">— sound</b>';
    tools.append(legend);
  }

  draw() {
    return null;
  }
}
