// One instance per mounted element: what must survive a redraw (the player above all) hangs on the root element.
export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".evidence");
  if (!root) return;
  const view = root.earwitness || (root.earwitness = make(root));
  view.tell = (what) => setTriggerValue("act", { ...what, n: ++view.count });
  view.show(data);
  document.addEventListener("keydown", view.onKey);
  return () => document.removeEventListener("keydown", view.onKey);
}

function clock(s, tenths) {
  s = Math.max(0, s || 0);
  const whole = Math.floor(s), h = Math.floor(whole / 3600), m = Math.floor((whole % 3600) / 60), r = whole % 60;
  const two = (x) => String(x).padStart(2, "0");
  return (h ? `${h}:${two(m)}` : `${m}`) + ":" + two(r) + (tenths ? "." + Math.floor((s - whole) * 10) : "");
}

function el(tag, cls, text) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text;
  return e;
}

function make(root) {
  const $ = (q) => root.querySelector(q);
  const video = $("video"), stage = $(".stage"), line = $(".line"), list = $(".list"), head = $(".head");
  const view = { count: Date.now(), data: { rows: [], duration: 1 }, url: null, poster: "", seek: -1, stopAt: null, pending: null, playPending: false };

  const now = () => view.data.start + (video.currentTime || 0);
  const loaded = (t) => view.url && t >= view.data.start - 0.05 && t < view.data.end - 0.02;
  const length = () => Math.max(view.data.duration || 0, 0.001);
  const at = (t) => `${Math.min(100, Math.max(0, (100 * t) / length()))}%`;

  function goto(t, play, until) {
    view.stopAt = until || null;
    if (!loaded(t)) {
      view.pending = t; view.playPending = !!play; tick(t);
      if (view.url) view.tell({ do: "preview", at: t });
      return;
    }
    video.currentTime = Math.max(0, t - view.data.start);
    if (play) video.play().catch(() => {});
    tick(t);
  }

  function tick(t) {
    const shown = t === undefined ? now() : t;
    head.style.left = at(shown);
    $(".clock").textContent = `${clock(shown, true)} / ${clock(length())}`;
    line.setAttribute("aria-valuenow", shown.toFixed(1));
    line.setAttribute("aria-valuetext", clock(shown));
    if (view.stopAt !== null && shown >= view.stopAt && !video.paused) { video.pause(); view.stopAt = null; }
  }

  video.addEventListener("timeupdate", () => tick());
  video.addEventListener("seeked", () => tick());
  video.addEventListener("play", function run() { if (video.paused) return; tick(); requestAnimationFrame(run); });
  video.addEventListener("loadedmetadata", () => {
    if (view.pending !== null && loaded(view.pending)) {
      const t = view.pending, play = view.playPending;
      view.pending = null; view.playPending = false; goto(t, play);
    }
  });
  video.addEventListener("error", () => { if (view.url && video.error && video.error.code >= 3) view.tell({ do: "unplayable" }); });
  const timeAt = (e) => {
    const box = line.getBoundingClientRect();
    return Math.min(length(), Math.max(0, ((e.clientX - box.left) / box.width) * length()));
  };
  const drawn = $(".drawn"), chooser = $(".choose");
  let dragFrom = null, dragged = false;
  view.drawn = null;

  function showDrawn() {
    const d = view.drawn, some = d && d[1] - d[0] >= 0.2;
    drawn.hidden = !some;
    const narrowed = view.data.from > 0.1 || view.data.to < length() - 0.1;
    chooser.hidden = !some && !narrowed;
    if (some) { drawn.style.left = at(d[0]); drawn.style.width = `${(100 * (d[1] - d[0])) / length()}%`; }
    $(".which").textContent = some ? `${clock(d[0], true)} to ${clock(d[1], true)}`
      : narrowed ? `analysing ${clock(view.data.from, true)} to ${clock(view.data.to, true)}` : "";
    $(".look").hidden = !some || d[1] - d[0] < 1; $(".none-drawn").hidden = !some; $(".whole").hidden = !narrowed;
  }

  line.addEventListener("pointerdown", (e) => {
    if (e.button !== 0) return;
    dragFrom = timeAt(e); dragged = false;
    line.setPointerCapture(e.pointerId);
  });
  line.addEventListener("pointermove", (e) => {
    if (dragFrom === null) return;
    const t = timeAt(e), width = line.getBoundingClientRect().width;
    if ((Math.abs(t - dragFrom) / length()) * width > 4) dragged = true;
    if (dragged) { view.drawn = [Math.min(t, dragFrom), Math.max(t, dragFrom)]; showDrawn(); }
  });
  const release = () => { dragFrom = null; };
  line.addEventListener("pointerup", release);
  line.addEventListener("pointercancel", release);
  line.addEventListener("keydown", (e) => {
    if (!e.shiftKey || (e.key !== "ArrowLeft" && e.key !== "ArrowRight")) return;
    e.preventDefault(); e.stopPropagation();
    const [a, b] = view.drawn || [now(), now()], by = e.key === "ArrowRight" ? 0.5 : -0.5;
    view.drawn = [a, Math.min(length(), Math.max(a, b + by))];
    showDrawn();
  });
  $(".hear").addEventListener("click", () => {
    const d = view.drawn || [view.data.from, view.data.to];
    goto(d[0], true, d[1]);
  });
  $(".look").addEventListener("click", () => {
    const d = view.drawn;
    if (d) { view.drawn = null; showDrawn(); view.tell({ do: "interval", at: d[0], to: d[1] }); }
  });
  $(".whole").addEventListener("click", () => { view.drawn = null; view.tell({ do: "interval", at: 0, to: 0 }); });
  $(".none-drawn").addEventListener("click", () => { view.drawn = null; showDrawn(); });

  function wave() {
    const canvas = $(".wave"), peaks = view.data.peaks || [];
    canvas.hidden = !peaks.length;
    if (!peaks.length) return;
    canvas.width = peaks.length * 2; canvas.height = 28;
    const pen = canvas.getContext("2d");
    pen.fillStyle = getComputedStyle(root).color;
    peaks.forEach((p, i) => { const h = Math.max(1, 28 * p); pen.fillRect(i * 2, (28 - h) / 2, 1.4, h); });
  }

  line.addEventListener("click", (e) => {
    if (dragged) { dragged = false; return; }
    const t = timeAt(e);
    goto(t, true);
    const hit = view.data.rows.find((r) => !r.dropped && r.counts && r.spans.some(([a, b]) => a <= t && t < b));
    if (hit) choose(hit, t);
  });

  function choose(row, t) {
    const w = row.best[1] - row.best[0];
    const inBest = t === undefined || (row.best[0] <= t && t < row.best[1]);
    view.data.selected = row.key;
    paint();
    view.tell({ do: "select", key: row.key, at: inBest ? row.best[0] : Math.max(0, t - w / 2) });
  }

  function step(by) {
    const row = view.data.rows.find((r) => r.key === view.data.selected);
    const spans = (row ? row.spans : view.data.rows.filter((r) => r.counts && !r.dropped).flatMap((r) => r.spans)).map((s) => s[0]);
    const starts = [...new Set(spans)].sort((a, b) => a - b), t = now();
    const next = by > 0 ? starts.find((s) => s > t + 0.15) : starts.filter((s) => s < t - 0.15).pop();
    if (next === undefined) return;
    goto(next, !video.paused);
    if (row) view.tell({ do: "select", key: row.key, at: next });
  }

  view.onKey = (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || !root.isConnected) return;
    const target = e.composedPath()[0];
    const tag = (target && target.tagName) || "", role = (target && target.getAttribute && target.getAttribute("role")) || "";
    const writes = (tag === "INPUT" && target.type !== "checkbox") || tag === "TEXTAREA" || tag === "SELECT" || (target && target.isContentEditable);
    if (writes || role === "combobox" || role === "textbox" || role === "spinbutton") return;
    const own = root.contains(target);
    const moves = role === "slider" || role === "radio" || role === "tab" || role === "option" || tag === "CANVAS" || tag === "VIDEO";
    const k = e.key;
    if (k === " " && (own ? tag !== "INPUT" && tag !== "BUTTON" && tag !== "VIDEO" : tag !== "BUTTON" && tag !== "A" && tag !== "SUMMARY")) {
      e.preventDefault(); view.stopAt = null;
      if (video.paused) video.play().catch(() => {}); else video.pause();
    } else if ((k === "ArrowRight" || k === "ArrowLeft") && (own ? tag !== "VIDEO" : !moves)) {
      e.preventDefault(); step(k === "ArrowRight" ? 1 : -1);
    } else if ((k === "ArrowDown" || k === "ArrowUp") && own) {
      const rows = view.data.rows, i = rows.findIndex((r) => r.key === view.data.selected) + (k === "ArrowDown" ? 1 : -1);
      if (rows[i]) { e.preventDefault(); choose(rows[i]); goto(rows[i].best[0], false); list.children[i].focus(); }
    } else if (/^[1-5]$/.test(k)) view.tell({ do: "map", number: Number(k) });
    else if ((k === "d" || k === "D") && view.data.selected) view.tell({ do: "drop", key: view.data.selected });
    else if (k === "u" || k === "U") view.tell({ do: "undo" });
    else if (k === "r" || k === "R") view.tell({ do: "redo" });
  };

  function bars(box, spans, cls, chosen) {
    for (const [a, b] of spans) {
      const bar = el("i", cls + (chosen ? " chosen" : ""));
      bar.style.left = at(a);
      bar.style.width = `${Math.max(0, (100 * (Math.min(b, length()) - a)) / length())}%`;
      box.append(bar);
    }
  }

  function ticks() {
    const box = $(".ticks"), steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
    const step = steps.find((s) => length() / s <= 8) || 7200;
    box.replaceChildren();
    for (let t = 0; t <= length() + 0.001; t += step) {
      const s = el("span", t > length() * 0.97 ? "last" : "", clock(t));
      s.style.left = at(t);
      box.append(s);
    }
  }

  function paint() {
    const d = view.data, box = $(".windows");
    box.replaceChildren();
    for (const r of d.rows) if (!r.dropped && r.counts) bars(box, r.spans, r.modality, r.key === d.selected);
    $(".outside.left").style.width = at(d.from);
    $(".outside.right").style.width = `${Math.max(0, 100 - (100 * d.to) / length())}%`;
    const top = list.scrollTop;
    list.replaceChildren(...d.rows.map(row));
    if (!d.rows.length) list.append(el("div", "none", "Nothing was heard or read clearly enough to be listed."));
    else if (d.leftOut > 0) list.append(el("div", "none", `${d.leftOut} weaker detections are not listed; their weight is negligible.`));
    list.scrollTop = top;
  }

  function row(r) {
    const e = el("div", "row" + (r.key === view.data.selected ? " selected" : "") + (r.dropped ? " dropped" : "") + (r.mute ? " mute" : ""));
    e.tabIndex = 0;
    e.setAttribute("role", "option");
    e.setAttribute("aria-selected", String(r.key === view.data.selected));
    const check = el("input");
    check.type = "checkbox"; check.checked = !r.dropped; check.disabled = !r.counts;
    check.title = r.counts ? (r.dropped ? "Left out of the scoring; tick to include it" : "Untick to leave it out: foley or a false detection")
      : "A sound without a range: listed, never scored";
    check.setAttribute("aria-label", `${r.title} counts`);
    check.addEventListener("click", (x) => x.stopPropagation());
    check.addEventListener("change", () => { e.classList.toggle("dropped", !check.checked); view.tell({ do: "drop", key: r.key }); });
    const what = el("div", "what");
    what.append(el("b", "", r.title));
    if (r.label) {
      const read = el("em", "", r.label);
      read.dir = "auto"; // Arabic and Hebrew run from right to left
      what.append(read);
    }
    if (r.dropped) what.append(el("small", "", "(dropped)"));
    if (r.added) what.append(el("small", "", "(added)"));
    if (r.confirmed) what.append(el("small", "", "✓ confirmed"));
    what.title = `${r.title}${r.label ? " (" + r.label + ")" : ""}: ${r.kind}, heard or seen in ${r.windows} window${r.windows === 1 ? "" : "s"}, best at ${clock(r.best[0], true)}`;
    const score = el("div", "score", r.score.toFixed(2));
    score.title = "The model's own score in its best window, 0 to 1; not a probability";
    const spans = el("div", "spans");
    bars(spans, r.spans, r.modality);
    spans.title = "When, over the whole clip";
    const play = el("button", "play", "▶");
    play.type = "button"; play.title = `Play ${clock(r.best[0], true)} to ${clock(r.best[1], true)}`;
    play.setAttribute("aria-label", `${play.title}: ${r.title}`);
    play.addEventListener("click", (x) => { x.stopPropagation(); choose(r); goto(r.best[0], true, Math.max(r.best[1], r.best[0] + 1)); });
    e.addEventListener("click", () => { choose(r); goto(r.best[0], false); });
    e.addEventListener("keydown", (x) => { if (x.key === "Enter" && x.target === e) { choose(r); goto(r.best[0], true, r.best[1]); } });
    e.append(check, what, score, spans, play);
    return e;
  }

  view.show = (data) => {
    view.data = { ...data };
    stage.classList.toggle("sound-only", !data.picture);
    $(".waiting").textContent = data.waiting || "";
    if ((data.poster || "") !== view.poster) {
      view.poster = data.poster || "";
      if (view.poster) video.poster = view.poster; else video.removeAttribute("poster");
    }
    if ((data.url || null) !== view.url) {
      const t = now(), before = view.url;
      view.url = data.url || null;
      if (view.url) {
        if (before && view.pending === null) view.pending = t;
        video.src = view.url; video.style.visibility = "visible";
      } else { video.removeAttribute("src"); video.load(); video.style.visibility = "hidden"; }
    }
    if (view.poster) { video.style.visibility = "visible"; video.controls = !!view.url; } else video.controls = true;
    if (data.seek !== view.seek) {
      const first = view.seek < 0;
      view.seek = data.seek;
      if (!first || data.moment > 0) goto(data.moment, !first && !!data.play);
    }
    wave(); showDrawn(); ticks(); paint(); tick(view.pending === null ? undefined : view.pending);
  };
  return view;
}
