// A shadow to be marked: foot, top and tip are dragged, or moved with the arrow keys, over the frame; the map below follows.
const NS = "http://www.w3.org/2000/svg", WIDE = 1000, TOP = 84;
const NAMES = { foot: "foot", top: "top", tip: "tip of the shadow", left: "horizon, left", right: "horizon, right" };
const COLOURS = { foot: "#ffb000", top: "#ffb000", tip: "#37c8ff", left: "#7cf57c", right: "#7cf57c" };

function svg(tag, given, text) {
  const e = document.createElementNS(NS, tag);
  for (const [k, v] of Object.entries(given)) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  return e;
}

function make(root) {
  const photo = root.querySelector(".photo"), lens = root.querySelector(".lens"), map = root.querySelector(".map");
  const said = root.querySelector(".said");
  const own = { data: null, points: {}, drag: null, count: Date.now(), last: 0, about: "" };
  const tall = () => WIDE / own.data.aspect;
  const shown = () => Object.keys(own.points);

  function tell() {
    own.last = Date.now();
    const points = Object.fromEntries(shown().map((n) => [n, own.points[n].map((v) => Number(v.toFixed(4)))]));
    own.send({ do: "mark", points });
  }

  // While a point is moved, the map is asked for several times a second, and once more where the point comes to rest.
  function soon(wait) {
    clearTimeout(own.later);
    if (Date.now() - own.last > 250) tell();
    else own.later = setTimeout(tell, wait);
  }

  function move(name, x, y) {
    own.points[name] = [Math.max(0, Math.min(1, x)), Math.max(0, Math.min(1, y))];
    draw();
    soon(260);
  }

  function at(e) {
    const m = photo.getScreenCTM();
    const p = m ? new DOMPoint(e.clientX, e.clientY).matrixTransform(m.inverse()) : { x: 0, y: 0 };
    return [p.x / WIDE, p.y / tall()];
  }

  function line(a, b, colour, dash) {
    const [p, q] = [own.points[a], own.points[b]], h = tall();
    return svg("line", { x1: p[0] * WIDE, y1: p[1] * h, x2: q[0] * WIDE, y2: q[1] * h, stroke: colour, "stroke-width": 3,
      "stroke-dasharray": dash || "none", "pointer-events": "none" });
  }

  function draw() {
    const d = own.data, h = tall(), focused = root.getRootNode().activeElement?.dataset?.name;
    const size = Math.max(1, 700 / Math.max(photo.clientWidth, 1));
    photo.setAttribute("viewBox", `0 0 ${WIDE} ${h}`);
    if (!photo.firstChild || own.image !== d.image) {
      photo.replaceChildren(svg("image", { href: d.image, x: 0, y: 0, width: WIDE, height: h, preserveAspectRatio: "none" }), svg("g", {}));
      own.image = d.image;
    }
    const lines = [line("foot", "top", COLOURS.foot), line("foot", "tip", COLOURS.tip)];
    if (own.points.left) lines.push(line("left", "right", COLOURS.left, "14 9"));
    const group = photo.lastChild;
    for (const e of [...group.children]) if (e.tagName === "line") e.remove();
    group.prepend(...lines);
    for (const e of [...group.querySelectorAll(".point")]) if (!own.points[e.dataset.name]) e.remove();
    for (const name of shown()) {
      let g = group.querySelector(`[data-name="${name}"]`);
      if (!g) {
        g = svg("g", { class: "point", "data-name": name, tabindex: 0, role: "slider", "aria-valuemin": 0, "aria-valuemax": 100 });
        g.append(svg("circle", { r: 26, fill: "transparent" }), svg("circle", { class: "ring", r: 11, fill: "rgba(0,0,0,.25)", stroke: COLOURS[name], "stroke-width": 3 }),
          svg("circle", { r: 1.6, fill: COLOURS[name] }),
          svg("text", { x: 16, y: -12, "font-size": 20, "font-weight": 600, fill: "#fff", stroke: "#000", "stroke-width": 4, "paint-order": "stroke", "pointer-events": "none" }, NAMES[name]));
        group.append(g);
      }
      const [x, y] = own.points[name];
      g.setAttribute("transform", `translate(${x * WIDE} ${y * h}) scale(${size})`);
      const text = g.querySelector("text");
      text.setAttribute("text-anchor", x > 0.75 ? "end" : "start");
      text.setAttribute("x", x > 0.75 ? -16 : 16);
      text.setAttribute("y", name === "foot" ? 30 : -12);
      g.setAttribute("aria-valuenow", (100 * x).toFixed(1));
      g.setAttribute("aria-valuetext", `${(100 * x).toFixed(1)}% from the left, ${(100 * y).toFixed(1)}% from the top`);
      g.setAttribute("aria-label", `${NAMES[name]}: arrow keys move it, with Shift further`);
    }
    if (focused) group.querySelector(`[data-name="${focused}"]`)?.focus();
    zoom();
  }

  // What lies under the point that is moved, four times as large.
  function zoom() {
    const name = own.drag;
    lens.classList.toggle("seen", Boolean(name));
    if (!name) return;
    const h = tall(), [x, y] = own.points[name], k = 4 * 1000 / Math.max(photo.clientWidth, 1) * photo.clientWidth / 1000;
    lens.classList.toggle("right", x < 0.4 && y < 0.5);
    lens.replaceChildren(
      svg("image", { href: own.data.image, x: 50 - x * WIDE * k * 0.5, y: 50 - y * h * k * 0.5, width: WIDE * k * 0.5, height: h * k * 0.5, preserveAspectRatio: "none" }),
      svg("path", { d: "M50 30V46M50 54V70M30 50H46M54 50H70", stroke: COLOURS[name], "stroke-width": 1.5 }));
  }

  photo.addEventListener("pointerdown", (e) => {
    const g = e.target.closest?.(".point");
    if (!g) return;
    own.drag = g.dataset.name;
    own.grip = at(e).map((v, i) => v - own.points[own.drag][i]);
    photo.setPointerCapture(e.pointerId);
    g.focus();
    draw();
    e.preventDefault();
  });
  photo.addEventListener("pointermove", (e) => {
    if (!own.drag) return;
    const [x, y] = at(e);
    move(own.drag, x - own.grip[0], y - own.grip[1]);
  });
  const drop = () => {
    if (!own.drag) return;
    own.drag = null;
    clearTimeout(own.later);
    draw();
    tell();
  };
  photo.addEventListener("pointerup", drop);
  photo.addEventListener("pointercancel", drop);
  photo.addEventListener("keydown", (e) => {
    const name = e.target.dataset?.name, step = (e.shiftKey ? 20 : 2) / WIDE;
    const by = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[e.key];
    if (!name || !by) return;
    const [x, y] = own.points[name];
    move(name, x + by[0] * step, y + by[1] * step * own.data.aspect);
    e.preventDefault();
    e.stopPropagation();
  });
  new ResizeObserver(() => own.data && draw()).observe(photo);

  own.show = (data) => {
    const fresh = data.about !== own.about;
    own.data = data;
    own.about = data.about;
    if (fresh) own.points = Object.fromEntries(Object.entries(data.points).map(([n, p]) => [n, [...p]]));
    for (const n of ["left", "right"]) {
      if (!data.points[n]) delete own.points[n];
      else if (!own.points[n]) own.points[n] = [...data.points[n]];
    }
    draw();
    map.replaceChildren(
      svg("image", { href: data.land, x: 0, y: TOP - 90, width: 360, height: 180, preserveAspectRatio: "none" }),
      ...(data.likely ? [svg("image", { href: data.likely, x: 0, y: 0, width: 360, height: 150, preserveAspectRatio: "none" })] : []),
      ...data.marks.map((m) => svg("circle", { cx: m.lon + 180, cy: TOP - m.lat, r: 2.6, fill: "none", stroke: m.colour, "stroke-width": 1.2 })));
    map.setAttribute("aria-label", `Map of where this shadow can fall. ${data.said}`);
    said.textContent = data.said;
    said.classList.toggle("wrong", data.wrong);
  };
  return own;
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".shadow");
  if (!root) return;
  const own = root.earwitness || (root.earwitness = make(root));
  own.send = (what) => setTriggerValue("act", { ...what, n: ++own.count });
  own.show(data);
}
