// Maps on canvases with one view (zoom and place), one crosshair and one step for all.
// Kept between updates: new maps change what is painted, not where or when the person looks.
// A click, or Enter at the crosshair, tells the pixel: "pixel" is [row, column, number of the map].
const views = new WeakMap();
const FRAME = 250; // ms a step while the maps play
const STILL = 4; // pixels that a pointer may move and still be a click

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".maps");
  const { size, aspect, panels, columns } = data;
  let view = views.get(root);
  if (!view || view.size !== size) {
    view = { size, x: 0, y: 0, span: size, cursor: null, frame: 0, steps: null, asked: null, told: null, timer: null };
    views.set(root, view);
  }
  root.style.setProperty("--columns", columns ?? "");
  root.classList.toggle("counted", Boolean(columns));
  root.classList.toggle("many", columns > 4);
  if (root.children.length !== panels.length) root.replaceChildren(...panels.map(() => figure()));
  const shown = panels.map((panel, n) => prepare(panel, root.children[n], size, aspect, data.opens));
  view.mark = data.mark ?? null;
  const paint = () => shown.forEach((one) => paintOne(one, view));
  const open = (pixel, n) => { if (data.opens) setTriggerValue("pixel", [pixel[1], pixel[0], n]); };
  shown.forEach((one, n) => listen(one.canvas, view, paint, (pixel) => open(pixel, n)));
  const keep = (step) => { view.told = step; setStateValue("step", step); };
  player(parentElement.querySelector(".player"), view, data, paint, keep);
  paint();
  return () => clearInterval(view.timer);
}

// The step's slider and its play button. Where all steps are here, painting one needs nothing of the server, which
// learns the step once the person has stopped, for the address. Where they are too many bytes, it sends each as asked.
function player(bar, view, data, paint, keep) {
  const { fetched } = data;
  bar.hidden = data.steps === null;
  bar.style.visibility = data.steps?.length > 1 ? "" : "hidden";
  const steps = data.steps ?? [];
  const last = Math.max(0, steps.length - 1);
  const asked = data.step ?? steps[last] ?? null;
  const others = view.steps !== steps.join();
  if (others || asked === view.told) view.told = null;
  if (view.told === null && (others || asked !== view.asked)) { // not told: the person has not moved on meanwhile
    view.frame = Math.max(0, steps.indexOf(asked));
    view.asked = asked;
  }
  view.steps = steps.join();
  const stop = () => { clearInterval(view.timer); view.timer = null; };
  if (others) stop();
  const [button, slider, told] = ["button", "input", "output"].map((tag) => bar.querySelector(tag));
  const say = () => {
    slider.max = last;
    slider.value = view.frame;
    slider.setAttribute("aria-valuetext", `step ${steps[view.frame]}`);
    told.textContent = `step ${steps[view.frame] ?? 0} of ${steps[last] ?? 0}`;
    button.textContent = view.timer ? "❚❚" : "▶";
    button.setAttribute("aria-label", view.timer ? "Pause" : "Play the steps");
  };
  const to = (frame) => { view.frame = frame; say(); if (fetched) keep(steps[frame]); else paint(); };
  const pause = () => { stop(); say(); keep(steps[view.frame]); };
  view.tick = () => (view.frame < last ? to(view.frame + 1) : pause()); // goes on while steps are fetched
  slider.oninput = () => { stop(); to(Number(slider.value)); };
  slider.onchange = () => keep(steps[view.frame]);
  button.onclick = () => {
    if (view.timer) return pause();
    if (view.frame === last) to(0);
    view.timer = setInterval(() => view.tick(), FRAME);
    say();
  };
  say();
}

function figure() {
  const figure = document.createElement("figure");
  figure.innerHTML =
    '<figcaption><span class="title"></span><span class="readout"></span></figcaption>' +
    '<canvas tabindex="0" role="img"></canvas>' +
    '<div class="how"></div><div class="bar"></div><div class="ends"><span></span><span></span></div>';
  return figure;
}

function prepare(panel, figure, size, aspect, opens) {
  const canvas = figure.querySelector("canvas");
  canvas.style.aspectRatio = aspect; // the grid is square; the picture need not be
  figure.querySelector(".title").textContent = figure.querySelector(".title").title = panel.title;
  figure.querySelector(".how").textContent = panel.how;
  canvas.setAttribute("aria-label", describe(panel, size) + (opens ? " Enter opens the pixel." : ""));
  const before = figure.one;
  const same = before !== undefined && unchanged(before, panel, size);
  const source = same ? before.source : document.createElement("canvas");
  const one = { panel, canvas, source, size, readout: figure.querySelector(".readout"), levels: null };
  if (!same) source.width = source.height = size;
  if (panel.kind === "picture" && !same) {
    const image = new Image();
    image.onload = () => { source.getContext("2d").drawImage(image, 0, 0); figure.one.repaint?.(); };
    image.src = "data:image/png;base64," + panel.png;
  } else if (panel.kind === "class" || panel.kind === "scalar") {
    one.frames = panel.frames ?? [panel.levels];
    one.hows = panel.hows;
    one.drawn = same ? before.drawn : null;
    one.levels = same ? before.levels : null;
  }
  figure.one = one;
  legend(panel, figure);
  return one;
}

// Whether what was painted before is what is to be painted now: of another step, picture and truth are.
function unchanged(before, panel, size) {
  const was = before.panel;
  const looks = (one) => [one.kind, one.png, one.levels, String(one.colours), one.none];
  const then = looks(was);
  return before.size === size && !panel.frames && !was.frames && looks(panel).every((part, n) => part === then[n]);
}

function describe(panel, size) {
  if (panel.kind === "blank") return `${panel.title}: ${panel.how}.`;
  const kind = { picture: "the picture", class: "a map of classes", scalar: "a map of numbers" }[panel.kind];
  const range = panel.kind === "scalar" ? `, from ${number(panel.low)} to ${number(panel.high)}` : "";
  return `${panel.title}: ${kind}, ${size} by ${size} pixels${range}; ${panel.how}. Arrow keys move the crosshair, plus and minus zoom, Escape returns.`;
}

function decode(text, bytes) {
  const raw = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return bytes === 2 ? new Uint16Array(raw.buffer) : raw;
}

function coloured(levels, panel, size) {
  const table = new Uint32Array(panel.bytes === 2 ? 65536 : 256); // what has no colour is not painted
  panel.colours.forEach((hex, n) => {
    table[n] = 0xff000000 | (parseInt(hex.slice(5, 7), 16) << 16) | (parseInt(hex.slice(3, 5), 16) << 8) | parseInt(hex.slice(1, 3), 16);
  });
  if (panel.none !== null) table[panel.none] = 0;
  const pixels = new ImageData(size, size);
  const words = new Uint32Array(pixels.data.buffer);
  for (let i = 0; i < levels.length; i++) words[i] = table[levels[i]];
  return pixels;
}

function legend(panel, figure) {
  const bar = figure.querySelector(".bar");
  const [low, high] = figure.querySelectorAll(".ends span");
  const scalar = panel.kind === "scalar";
  bar.hidden = low.parentElement.hidden = !scalar;
  const stops = scalar ? [0, 51, 102, 153, 204, 255].map((n) => panel.colours[n]).join(",") : "";
  bar.style.background = scalar ? `linear-gradient(to right, ${stops})` : "none";
  low.textContent = scalar ? number(panel.low) + (panel.log ? " (log)" : "") : "";
  high.textContent = scalar ? (panel.clipped ? "≥ " : "") + number(panel.high) : "";
}

function paintOne(one, view) {
  const { canvas, source } = one;
  one.repaint = () => paintOne(one, view);
  if (one.frames) atFrame(one, Math.min(view.frame, one.frames.length - 1));
  const side = Math.max(view.size, 384);
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.clearRect(0, 0, side, side);
  context.drawImage(source, view.x, view.y, view.span, view.span, 0, 0, side, side);
  one.readout.textContent = view.cursor ? value(one, view) : "";
  one.readout.ariaLive = canvas.matches(":focus") ? "polite" : "off";
  const cell = side / view.span;
  if (view.mark) ring(context, (view.mark[1] - view.x) * cell, (view.mark[0] - view.y) * cell, cell);
  if (!view.cursor) return;
  const x = (view.cursor[0] - view.x + 0.5) * cell, y = (view.cursor[1] - view.y + 0.5) * cell;
  context.lineWidth = 1.5;
  for (const [colour, shift] of [["#000", 1], ["#fff", 0]]) {
    context.strokeStyle = colour;
    context.beginPath();
    context.moveTo(x + shift, 0); context.lineTo(x + shift, side);
    context.moveTo(0, y + shift); context.lineTo(side, y + shift);
    context.stroke();
  }
}

// A box around the pixel that the page is about, never too small to be found.
function ring(context, x, y, cell) {
  const side = Math.max(cell, 14), shift = (side - cell) / 2;
  for (const [colour, width] of [["#000", 5], ["#fff", 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(x - shift, y - shift, side, side);
  }
}

function atFrame(one, frame) {
  if (one.drawn === frame) return;
  one.drawn = frame;
  one.levels = decode(one.frames[frame], one.panel.bytes);
  one.source.getContext("2d").putImageData(coloured(one.levels, one.panel, one.size), 0, 0);
  if (one.hows) one.canvas.parentElement.querySelector(".how").textContent = one.hows[frame];
}

function value(one, view) {
  const { panel, levels, size } = one;
  if (panel.kind === "picture") return `row ${view.cursor[1]}, column ${view.cursor[0]}`;
  if (!levels) return "";
  const level = levels[view.cursor[1] * size + view.cursor[0]];
  if (panel.kind === "class") return level === panel.none ? "none" : panel.names[level] ?? `channel ${level}`;
  const share = level / 255;
  const exact = panel.log ? panel.low * Math.pow(panel.high / panel.low, share) : panel.low + share * (panel.high - panel.low);
  return "≈ " + number(exact);
}

function number(x) {
  const size = Math.abs(x);
  return x === 0 ? "0" : size >= 1e-4 && size < 1e5 ? String(Number(x.toPrecision(3))) : x.toExponential(2).replace("+", "");
}

function listen(canvas, view, paint, open) {
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [view.x + ((event.clientX - box.left) / box.width) * view.span, view.y + ((event.clientY - box.top) / box.height) * view.span];
  };
  const point = (x, y) => { view.cursor = [x, y].map((v) => Math.min(view.size - 1, Math.max(0, Math.floor(v)))); };
  let drag = null;
  canvas.onpointermove = (event) => {
    if (drag) { const box = canvas.getBoundingClientRect(); move(view, drag.x - ((event.clientX - drag.px) / box.width) * view.span, drag.y - ((event.clientY - drag.py) / box.height) * view.span); }
    else point(...at(event));
    paint();
  };
  canvas.onpointerleave = () => { if (!drag) { view.cursor = null; paint(); } };
  canvas.onpointerdown = (event) => { drag = { px: event.clientX, py: event.clientY, x: view.x, y: view.y }; canvas.setPointerCapture(event.pointerId); };
  canvas.onpointerup = (event) => {
    const still = drag && Math.hypot(event.clientX - drag.px, event.clientY - drag.py) < STILL;
    drag = null;
    if (!still || event.button > 0) return;
    point(...at(event));
    open(view.cursor);
  };
  canvas.onpointercancel = () => { drag = null; };
  canvas.onwheel = (event) => {
    if (!event.ctrlKey && !event.shiftKey) return; // plain scrolling stays the page's
    event.preventDefault();
    zoom(view, event.deltaY + event.deltaX > 0 ? 1.25 : 0.8, ...at(event));
    paint();
  };
  canvas.onkeydown = (event) => {
    const [x, y] = view.cursor ?? [view.size >> 1, view.size >> 1];
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (steps) point(x + steps[0], y + steps[1]);
    else if (event.key === "Enter" && view.cursor) open(view.cursor);
    else if (event.key === "+" || event.key === "=") zoom(view, 0.8, x, y);
    else if (event.key === "-") zoom(view, 1.25, x, y);
    else if (event.key === "Escape") { view.cursor = null; zoom(view, Infinity, 0, 0); }
    else return;
    event.preventDefault();
    paint();
  };
}

function zoom(view, factor, x, y) {
  const span = Math.min(view.size, Math.max(8, view.span * factor));
  const [left, top] = [x - ((x - view.x) * span) / view.span, y - ((y - view.y) * span) / view.span];
  view.span = span;
  move(view, left, top);
}

function move(view, x, y) {
  view.x = Math.min(view.size - view.span, Math.max(0, x));
  view.y = Math.min(view.size - view.span, Math.max(0, y));
}
