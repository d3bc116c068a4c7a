// What can be seen in a picture, to be ticked: kinds of cues, a picture of each, and what it does to the map.
function element(tag, given = {}, text) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(given)) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  return e;
}

function make(root) {
  const find = (name) => root.querySelector("." + name);
  const search = find("search"), count = find("count"), groups = find("groups"), tiles = find("tiles");
  const about = find("about"), noted = find("noted"), frame = find("frame"), body = find("body");
  const own = { data: null, group: "", count: Date.now(), shown: "" };

  // One picture of a sheet: the sheet is as many tiles wide as `columns`, and scaled so that a tile fills the element.
  function cut(e, sheet, index) {
    if (!sheet.url) return;
    const column = index % sheet.columns, row = Math.floor(index / sheet.columns);
    e.style.backgroundImage = `url("${sheet.url}")`;
    e.style.backgroundSize = `${100 * sheet.columns}% ${100 * sheet.rows}%`;
    const part = (at, of) => (of > 1 ? (100 * at) / (of - 1) : 0);
    e.style.backgroundPosition = `${part(column, sheet.columns)}% ${part(row, sheet.rows)}%`;
  }

  function tell(what) { own.send(what); }

  function listed() {
    const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return own.data.cues.filter((c) => c.group === own.group);
    return own.data.cues.filter((c) => words.every((w) => `${c.what} ${c.meaning} ${c.group}`.toLowerCase().includes(w)));
  }

  function tile(cue) {
    const on = own.data.noted[cue.id] !== undefined;
    const b = element("button", { class: "tile", type: "button", "aria-pressed": on, "data-id": cue.id });
    const pic = element("span", { class: "pic", "aria-hidden": "true" });
    cut(pic, own.data.pictures, cue.at);
    b.append(pic, element("span", {}, cue.what));
    b.addEventListener("click", () => tell(on ? { do: "drop", id: cue.id } : { do: "note", id: cue.id, sure: own.data.usual }));
    b.addEventListener("focus", () => explain(cue));
    b.addEventListener("pointerenter", (e) => e.pointerType === "mouse" && explain(cue));
    return b;
  }

  function explain(cue) {
    own.shown = cue ? cue.id : "";
    if (!cue) {
      about.replaceChildren(element("span", {}, "Tick what you plainly see. Point at a cue to see what is meant and what it does to the map."));
      return;
    }
    const map = element("span", { class: "map", role: "img", "aria-label": `Map: found in ${cue.where}` });
    cut(map, own.data.maps, cue.at);
    const said = element("div");
    said.append(element("p", {}, cue.meaning ? `${cue.what}: ${cue.meaning}.` : `${cue.what}.`));
    said.append(element("p", {}, `Found in ${cue.where}; by itself it makes these places up to ${cue.most} times as likely as the land on average.`));
    if (cue.doubt) said.append(element("p", { class: "dim" }, `Beware: ${cue.doubt}.`));
    said.append(element("p", { class: "dim" }, `Source: ${cue.source}.`));
    if (cue.judged) said.append(element("p", { class: "dim" }, "The program has read this itself; it is listed and not counted twice."));
    about.replaceChildren(map, said);
  }

  function drawGroups() {
    const names = [...new Set(own.data.cues.map((c) => c.group))];
    if (!names.includes(own.group)) own.group = names[0];
    groups.replaceChildren(...names.map((name) => {
      const of = own.data.cues.filter((c) => c.group === name && own.data.noted[c.id] !== undefined).length;
      const b = element("button", { type: "button", "aria-pressed": name === own.group && !search.value.trim() }, name);
      if (of) b.append(element("b", {}, String(of)));
      b.addEventListener("click", () => { own.group = name; search.value = ""; draw(); });
      return b;
    }));
    const all = Object.keys(own.data.noted).length;
    count.textContent = all ? `${all} noted` : "nothing noted yet";
  }

  function drawNoted() {
    const by = Object.fromEntries(own.data.cues.map((c) => [c.id, c]));
    noted.replaceChildren(...Object.entries(own.data.noted).filter(([id]) => by[id]).map(([id, sure]) => {
      const one = element("span", { class: "one" });
      const choice = element("select", { "aria-label": `How sure: ${by[id].what}` });
      for (const [name, chance] of own.data.sure) {
        const option = element("option", { value: chance }, name);
        option.selected = Math.abs(chance - sure) < 1e-6;
        choice.append(option);
      }
      choice.addEventListener("change", () => tell({ do: "note", id, sure: Number(choice.value) }));
      const off = element("button", { type: "button", "aria-label": `Remove: ${by[id].what}` }, "×");
      off.addEventListener("click", () => tell({ do: "drop", id }));
      one.append(element("span", {}, by[id].what), choice, off);
      return one;
    }));
  }

  function draw() {
    const focused = root.getRootNode().activeElement?.dataset?.id;
    drawGroups();
    const cues = listed();
    tiles.replaceChildren(...(cues.length ? cues.map(tile) : [element("div", { class: "none" }, "No cue has these words; try a simpler one.")]));
    if (focused) tiles.querySelector(`[data-id="${focused}"]`)?.focus();
    drawNoted();
  }

  search.addEventListener("input", draw);
  // Arrow keys walk over the tiles; the page's own keys must not hear what is typed here.
  root.addEventListener("keydown", (e) => {
    if (e.target === search) { e.stopPropagation(); return; }
    const at = e.target.closest?.(".tile"), step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!at || !step) return;
    const all = [...tiles.querySelectorAll(".tile")];
    all[(all.indexOf(at) + step + all.length) % all.length].focus();
    e.preventDefault();
    e.stopPropagation();
  });

  own.show = (data) => {
    const first = own.data === null;
    own.data = data;
    body.classList.toggle("bare", !data.frame);
    if (data.frame && frame.getAttribute("src") !== data.frame) frame.src = data.frame;
    draw();
    if (first) explain(null);
    else explain(data.cues.find((c) => c.id === own.shown) || null);
  };
  return own;
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".checklist");
  if (!root) return;
  const own = root.earwitness || (root.earwitness = make(root));
  own.send = (what) => setTriggerValue("act", { ...what, n: ++own.count });
  own.show(data);
}
