// One instance per mounted element, so that a redraw does not break off what is being sent.
export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const root = parentElement.querySelector(".drop");
  if (!root) return;
  const own = root.earwitness || (root.earwitness = make(root));
  own.data = { ...data };
  own.tell = (what) => setTriggerValue("arrived", what);
  own.input.accept = data.accept;
}

const HEAD = { "X-Earwitness": "upload" };

function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let n = bytes, i = 0;
  while (n >= 1000 && i < units.length - 1) { n /= 1000; i++; }
  return `${n >= 100 || i === 0 ? Math.round(n) : n.toFixed(1)} ${units[i]}`;
}

function left(seconds) {
  if (!isFinite(seconds)) return "";
  if (seconds < 60) return ` · ${Math.max(1, Math.round(seconds))} s left`;
  return ` · ${Math.round(seconds / 60)} min left`;
}

function make(root) {
  const $ = (q) => root.querySelector(q);
  const own = { input: $("input"), data: {}, tell: () => {}, queue: [], busy: false, request: null, stopped: false };

  own.input.addEventListener("change", () => { add(own.input.files); own.input.value = ""; });
  root.addEventListener("click", (e) => { if (!own.busy && !e.target.closest("button")) own.input.click(); });
  own.input.addEventListener("click", (e) => e.stopPropagation());
  root.addEventListener("keydown", (e) => {
    if ((e.key === "Enter" || e.key === " ") && e.target === root && !own.busy) { e.preventDefault(); own.input.click(); }
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    root.addEventListener(kind, (e) => {
      e.preventDefault();
      root.classList.toggle("over", kind === "dragover");
      if (kind === "drop") add(e.dataTransfer.files);
    });
  }
  $(".stop").addEventListener("click", () => {
    own.stopped = true; own.queue = [];
    if (own.request) own.request.abort();
  });

  function add(files) {
    own.queue.push(...files);
    if (!own.busy) work();
  }

  function show(name, sent, total, began) {
    const share = total ? sent / total : 0, seconds = (performance.now() - began) / 1000;
    $(".name").textContent = name;
    $(".track i").style.width = `${100 * share}%`;
    $(".track").setAttribute("aria-valuenow", Math.round(100 * share));
    const rate = seconds > 0.5 ? sent / seconds : 0, others = own.queue.length ? ` · ${own.queue.length} more to come` : "";
    $(".told").textContent = `${size(sent)} of ${size(total)}` + (rate ? ` · ${size(rate)} a second${left((total - sent) / rate)}` : "") + others;
  }

  function complain(text) { $(".bad").textContent = text; $(".bad").hidden = !text; }

  async function work() {
    own.busy = true; own.stopped = false; complain("");
    root.classList.add("working"); $(".idle").hidden = true; $(".busy").hidden = false;
    while (own.queue.length && !own.stopped && root.isConnected) {
      const file = own.queue.shift();
      try {
        const id = await send(file);
        own.tell({ id, more: own.queue.length > 0, n: Date.now() });
      } catch (problem) {
        if (!own.stopped) complain(`${file.name}: ${problem.message}`);
      }
    }
    own.busy = false;
    root.classList.remove("working"); $(".idle").hidden = false; $(".busy").hidden = true;
  }

  async function ask(method, path, body) {
    const answer = await fetch(own.data.door + path, { method, headers: HEAD, body, credentials: "same-origin" });
    const facts = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(facts.error || "The program refused it; load the page again."), { final: true });
    return facts;
  }

  function put(id, at, piece, told) {
    return new Promise((resolve, reject) => {
      const request = (own.request = new XMLHttpRequest());
      request.open("PUT", `${own.data.door}/${id}?at=${at}`);
      for (const [name, value] of Object.entries(HEAD)) request.setRequestHeader(name, value);
      request.upload.onprogress = (e) => told(at + e.loaded);
      request.onload = () => {
        let facts = {};
        try { facts = JSON.parse(request.responseText); } catch (_) { /* said below */ }
        if (request.status === 200) resolve(facts.held);
        else reject(Object.assign(new Error(facts.error || "The program refused it; load the page again."), { final: true }));
      };
      request.onerror = () => reject(new Error("The connection to the program broke off."));
      request.onabort = () => reject(Object.assign(new Error("Stopped."), { final: true }));
      request.send(piece);
    });
  }

  async function send(file) {
    const began = performance.now(), told = (sent) => show(file.name, Math.min(sent, file.size), file.size, began);
    told(0);
    const { id } = await ask("POST", "", JSON.stringify({ name: file.name, size: file.size }));
    let at = 0, failures = 0;
    try {
      while (at < file.size) {
        if (own.stopped || !root.isConnected) throw Object.assign(new Error("Stopped."), { final: true });
        try {
          at = await put(id, at, file.slice(at, at + own.data.piece), told);
          failures = 0;
        } catch (problem) {  // a broken connection: go on where the disk is
          if (problem.final || ++failures > 5) throw problem;
          await new Promise((wait) => setTimeout(wait, 500 * 2 ** failures));
          at = (await ask("GET", `/${id}`)).held;
        }
      }
    } catch (problem) {
      ask("DELETE", `/${id}`).catch(() => {});
      throw problem;
    }
    return id;
  }
  return own;
}
