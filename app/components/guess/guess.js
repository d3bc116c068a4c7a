// A map to point at: click or arrow keys set the pin, wheel, buttons and + − zoom, drag moves. Plate carrée: x = lon + 180, y = 84 − lat.
const NS = "http://www.w3.org/2000/svg", TOP = 84, WIDE = 360, TALL = 150;

function svg(tag, given, text) {
  const e = document.createElementNS(NS, tag);
  for (const [k, v] of Object.entries(given)) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  return e;
}

function degrees(lat, lon) {
  return `${Math.abs(lat).toFixed(1)}° ${lat >= 0 ? "N" : "S"}, ${Math.abs(lon).toFixed(1)}° ${lon >= 0 ? "E" : "W"}`;
}

function make(root) {
  const map = root.querySelector(".map"), said = root.querySelector(".said");
  const game = { data: null, pin: null, box: [0, 0, WIDE, TALL], drag: null, count: Date.now(), asked: "" };
  const scale = () => game.box[2] / Math.max(map.clientWidth, 1);

  function look(x, y, width) {
    const w = Math.min(WIDE, Math.max(8, width)), h = (w * TALL) / WIDE;
    game.box = [Math.min(WIDE - w, Math.max(0, x)), Math.min(TALL - h, Math.max(0, y)), w, h];
    map.setAttribute("viewBox", game.box.join(" "));
    draw();
  }

  function zoom(by, x, y) {
    const [bx, by0, w, h] = game.box, cx = x === undefined ? bx + w / 2 : x, cy = y === undefined ? by0 + h / 2 : y;
    const to = Math.min(WIDE, Math.max(8, w * by)), share = to / w;
    look(cx - (cx - bx) * share, cy - (cy - by0) * share, to);
  }

  function at(e) {
    const m = map.getScreenCTM();
    return m ? new DOMPoint(e.clientX, e.clientY).matrixTransform(m.inverse()) : { x: 0, y: 0 };
  }

  function set(lat, lon, act) {
    game.pin = [Math.max(TOP - TALL, Math.min(TOP, lat)), ((lon + 540) % 360) - 180];
    draw();
    said.textContent = `Your pin: ${degrees(...game.pin)}.`;
    clearTimeout(game.later);
    const tell = () => game.tell({ do: act, lat: game.pin[0], lon: game.pin[1] });
    if (act === "guess") tell(); else game.later = setTimeout(tell, 350);
  }

  function mark(m) {
    const u = scale(), g = svg("g", { transform: `translate(${m.lon + 180} ${TOP - m.lat}) scale(${u})` });
    const halo = { stroke: "var(--st-background-color, #fff)", "stroke-width": 2, fill: m.colour };
    if (m.shape === "round") g.append(svg("circle", { r: 7, ...halo }));
    else if (m.shape === "star") g.append(svg("path", { d: "M0-11 3-4 11-3 5 3 7 11 0 7-7 11-5 3-11-3-3-4Z", ...halo }));
    else g.append(svg("path", { d: "M0 0-8-14A9 9 0 1 1 8-14Z", ...halo }));
    if (m.label) {
      // The answer is named below its star, the program to the left of its dot, the player right of the pin, so that names keep apart.
      const [x, y, anchor] = { star: [0, 26, "middle"], round: [-12, 5, "end"], pin: [13, -12, "start"] }[m.shape];
      const share = (m.lon + 180 - game.box[0]) / game.box[2];
      const kept = share < 0.12 ? "start" : share > 0.88 ? "end" : anchor;
      g.append(svg("text", { x: kept === anchor ? x : kept === "start" ? 12 : -12, y, "font-size": 13, "stroke-width": 4, "text-anchor": kept,
        fill: "var(--st-text-color, #222)" }, m.label));
    }
    return g;
  }

  function draw() {
    const d = game.data, u = scale();
    if (!d) return;
    map.replaceChildren(svg("image", { href: d.land, x: 0, y: TOP - 90, width: 360, height: 180, preserveAspectRatio: "none" }));
    for (const line of d.lines)
      map.append(svg("path", { d: "M" + line.points.map(([a, b]) => `${b + 180} ${TOP - a}`).join("L"), fill: "none", stroke: line.colour,
        "stroke-width": (line.wide || 1.6) * u, "stroke-dasharray": line.dashed ? `${6 * u} ${4 * u}` : "none", "stroke-linejoin": "round" }));
    for (const m of d.marks) map.append(mark(m));
    if (game.pin && !d.done) map.append(mark({ lat: game.pin[0], lon: game.pin[1], shape: "pin", colour: d.colour, label: "" }));
  }

  function fit(marks) {
    const x = marks.map((m) => m.lon + 180), y = marks.map((m) => TOP - m.lat);
    const wide = Math.max(70, 1.6 * (Math.max(...x) - Math.min(...x)), (1.8 * WIDE / TALL) * (Math.max(...y) - Math.min(...y)));
    const w = Math.min(WIDE, wide);
    look((Math.max(...x) + Math.min(...x) - w) / 2, (Math.max(...y) + Math.min(...y) - (w * TALL) / WIDE) / 2, w);
  }

  map.addEventListener("pointerdown", (e) => { game.drag = { x: e.clientX, y: e.clientY, box: [...game.box], far: false }; map.setPointerCapture(e.pointerId); });
  map.addEventListener("pointermove", (e) => {
    const g = game.drag;
    if (!g) return;
    const dx = e.clientX - g.x, dy = e.clientY - g.y;
    if (Math.hypot(dx, dy) > 5) g.far = true;
    if (g.far) look(g.box[0] - dx * scale(), g.box[1] - dy * scale(), g.box[2]);
  });
  map.addEventListener("pointerup", (e) => {
    const g = game.drag;
    game.drag = null;
    if (!g || g.far || game.data.done) return;
    const p = at(e);
    set(TOP - p.y, p.x - 180, "pin");
  });
  map.addEventListener("wheel", (e) => { e.preventDefault(); const p = at(e); zoom(e.deltaY > 0 ? 1.25 : 0.8, p.x, p.y); }, { passive: false });
  map.addEventListener("keydown", (e) => {
    const step = (e.shiftKey ? 10 : 2) * Math.max(0.1, game.box[2] / WIDE);
    const moves = { ArrowUp: [step, 0], ArrowDown: [-step, 0], ArrowLeft: [0, -step], ArrowRight: [0, step] }[e.key];
    if (e.key === "+" || e.key === "=") zoom(0.7);
    else if (e.key === "-") zoom(1.4);
    else if (e.key === "0") look(0, 0, WIDE);
    else if (moves && !game.data.done) {
      const [lat, lon] = game.pin || [TOP - (game.box[1] + game.box[3] / 2), game.box[0] + game.box[2] / 2 - 180];
      set(lat + moves[0], lon + moves[1], "pin");
    } else if (e.key === "Enter" && game.pin && !game.data.done) set(game.pin[0], game.pin[1], "guess");
    else return;
    e.preventDefault();
    e.stopPropagation();
  });
  root.querySelector(".in").addEventListener("click", () => zoom(0.7));
  root.querySelector(".out").addEventListener("click", () => zoom(1.4));
  root.querySelector(".all").addEventListener("click", () => look(0, 0, WIDE));
  new ResizeObserver(() => draw()).observe(map);

  game.show = (data) => {
    const fresh = data.question !== game.asked;
    game.data = data;
    map.style.setProperty("--sea", data.sea);
    map.style.setProperty("--tall", `${Math.round(Math.min(430, Math.max(230, map.clientWidth * 0.46)))}px`);
    map.classList.toggle("done", data.done);
    map.setAttribute("aria-label", data.done ? data.answer : "Map of the world. Arrow keys move the pin, shift for larger steps, plus and minus zoom, Enter guesses.");
    if (fresh) {
      game.asked = data.question;
      game.pin = null;
      look(0, 0, WIDE);
      said.textContent = "Click the map, or move the pin with the arrow keys.";
    }
    if (data.done) {
      said.textContent = data.answer;
      const key = `${data.question} ${data.marks.length}`;
      if (data.marks.length && key !== game.fitted) fit(data.marks);
      game.fitted = key;
    }
    draw();
  };
  return game;
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".guess");
  if (!root) return;
  const game = root.earwitness || (root.earwitness = make(root));
  game.tell = (what) => setTriggerValue("act", { ...what, n: ++game.count });
  game.show(data);
}
