// The argument as a list. Every text from Python is set as text, never as HTML.
const MARKS = { measured: "● measured", inferred: "→ inferred", unsupported: "? unsupported" };
const TIPS = {
  measured: "A model or the analyst perceived it in this clip",
  inferred: "Follows from a cue of the table, or from what was measured",
  unsupported: "Stated by the file or by a language model; nothing perceived supports it",
};

function el(tag, cls, text) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text;
  return e;
}

function clock(s) {
  const t = Math.max(0, s), m = Math.floor(t / 60);
  return `${m}:${String(Math.floor(t % 60)).padStart(2, "0")}`;
}

function sentence(s, selected, tell) {
  const row = el("div", `said ${s.kind}${s.at !== null && s.keys.includes(selected) ? " chosen" : ""}`);
  const kind = el("span", "kind", MARKS[s.kind]);
  kind.title = TIPS[s.kind];
  const what = el("div", "what", s.text);
  if (s.others.length) {
    const more = el("details");
    more.append(el("summary", "", s.others.length === 1 ? "what else it could be" : `what else it could be (${s.others.length})`));
    for (const o of s.others) more.append(el("div", "", o));
    what.append(more);
  }
  if (s.source) what.append(el("div", "source", `source: ${s.source}`));
  row.append(kind, what);
  if (s.at !== null && s.kind === "measured") {
    const go = el("button", "", `${s.modality === "sound" ? "hear" : "see"} ${clock(s.at)}`);
    go.type = "button";
    go.setAttribute("aria-label", `${go.textContent}: ${s.text}`);
    go.addEventListener("click", () => tell({ do: "select", key: s.keys[0], at: s.at }));
    row.append(go);
  } else row.append(el("span"));
  return row;
}

function odds(rows) {
  const box = el("details"), table = el("table"), head = el("tr");
  box.append(el("summary", "", "log-odds of the countries"));
  for (const [name, tip] of [["country", ""], ["log-odds", "Natural log of p ÷ (1 − p), where p is the country's posterior probability"],
    ["change", "Change of the log-odds from the prior, in nats"]]) {
    const th = el("th", "", name);
    if (tip) th.title = tip;
    head.append(th);
  }
  table.append(head);
  for (const [name, value, weight] of rows) {
    const tr = el("tr");
    tr.append(el("td", "", name), el("td", "", value), el("td", "", weight));
    table.append(tr);
  }
  box.append(table);
  return box;
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".argument");
  const tell = (act) => setTriggerValue("act", { ...act, count: Date.now() });
  const open = new Set([...root.querySelectorAll("details[open]")].map((d) => d.dataset.id));
  const top = root.scrollTop;
  root.replaceChildren();
  for (const part of data.parts) {
    const head = el("h4", part.modality);
    head.append(el("i"), document.createTextNode(part.name));
    root.append(head);
    for (const s of part.sentences) root.append(sentence({ ...s, modality: part.modality }, data.selected, tell));
    if (part.odds.length) root.append(odds(part.odds));
  }
  root.querySelectorAll("details").forEach((d, i) => { d.dataset.id = String(i); d.open = open.has(String(i)); });
  root.scrollTop = top;
}
