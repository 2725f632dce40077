// SPDX-License-Identifier: Apache-2.0
// The robot in 3D: viser's page in a frame, or why it cannot be.

/** What draws in 3D here: "" for nothing, else the name of the graphics card or of its stand-in. */
function renderer() {
  const context = document.createElement("canvas").getContext("webgl2");
  if (!context) return "";
  const known = context.getExtension("WEBGL_debug_renderer_info");
  const name = context.getParameter(known ? known.UNMASKED_RENDERER_WEBGL : context.RENDERER);
  context.getExtension("WEBGL_lose_context")?.loseContext();
  return name || "unknown";
}

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software/i;

export class ScenePanel {
  static id = "scene";
  static title = "Robot";
  static weight = 3.6;
  static has = (frame, texts) => texts.about?.scene;

  constructor(body, tools) {
    body.classList.add("fixed");
    const name = renderer();
    if (!name) {
      this.say(body, "This browser has no WebGL 2, so the robot cannot be shown in 3D here. Everything else works.");
    } else if (SOFTWARE.test(name) && !new URLSearchParams(location.search).has("scene")) {
      // Without a graphics card the scene takes the time that the page and its buttons need.
      const words = this.say(body, "This browser draws without a graphics card: the scene in 3D would slow the page and its stop button down. ");
      const button = document.createElement("button");
      button.id = "show_scene";
      button.textContent = "Show it all the same";
      button.addEventListener("click", () => { words.remove(); this.show(body, tools); });
      words.append(button);
    } else this.show(body, tools);
  }

  say(body, text) {
    const words = document.createElement("p");
    words.className = "words";
    words.textContent = text;
    body.append(words);
    // Words need less room than a scene: the other panels have it.
    body.parentElement.classList.add("brief");
    return words;
  }

  show(body, tools) {
    body.parentElement.classList.remove("brief");
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
