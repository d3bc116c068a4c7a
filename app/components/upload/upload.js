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
    $(".sent").textContent = `${size(sent)} of ${size(total)}` + (rate ? ` · ${size(rate)} a second${left((total - sent) / rate)}` : "") + others;
  }

  function complain(text) { $(".bad").textContent = text; $(".bad").hidden = !text; }

  async function work() {
    own.busy = true; own.stopped = false; complain("");
    root.classList.add("working"); $(".idle").hidden = true; $(".busy").hidden = false;
    let number = 0;
    while (own.queue.length && !own.stopped && root.isConnected) {
      const file = own.queue.shift();
      try {
        const id = await send(file);
        number += 1;
        own.tell({ id, more: own.queue.length > 0, number, n: Date.now() });
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

  // The bytes are read once: what is hashed is what is sent.
  async function read(file, at) {
    try {
      const bytes = await file.slice(at, at + own.data.piece).arrayBuffer();
      if (bytes.byteLength === Math.min(own.data.piece, file.size - at)) return bytes;
    } catch (_) { /* said below */ }
    throw final("It changed or can be read no more while it was sent; wait until it is complete, then send it again.");
  }

  function final(text) { return Object.assign(new Error(text), { final: true }); }

  async function digest(bytes) { return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)); }

  function hex(bytes) { return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(""); }

  // SHA-256 of the SHA-256 of all pieces, in their order, as engine/case/jobs/upload.py computes it from what is on the disk.
  async function whole(digests) {
    const all = new Uint8Array(32 * digests.length);
    digests.forEach((d, n) => all.set(d, 32 * n));
    return hex(await digest(all));
  }

  function put(id, at, piece, sha256, shown) {
    return new Promise((resolve, reject) => {
      const request = (own.request = new XMLHttpRequest());
      request.open("PUT", `${own.data.door}/${id}?size=${piece.byteLength}&at=${at}`);
      request.setRequestHeader("X-Earwitness-SHA256", sha256);
      for (const [name, value] of Object.entries(HEAD)) request.setRequestHeader(name, value);
      request.upload.onprogress = (e) => shown(at + e.loaded);
      request.onload = () => {
        let facts = {};
        try { facts = JSON.parse(request.responseText); } catch (_) { /* said below */ }
        if (request.status === 200) resolve(facts.received);
        else if (request.status === 422) reject(new Error(facts.error));  // damaged on its way: the same piece again
        else reject(final(facts.error || "The program refused it; load the page again."));
      };
      request.onerror = () => reject(new Error("The connection to the program broke off."));
      request.onabort = () => reject(Object.assign(new Error("Stopped."), { final: true }));
      request.send(piece);
    });
  }

  async function send(file) {
    const began = performance.now(), shown = (sent) => show(file.name, Math.min(sent, file.size), file.size, began);
    shown(0);
    if (!(globalThis.crypto && crypto.subtle)) {
      throw final("This address is not trusted by the browser; open the app at 127.0.0.1 or localhost.");
    }
    const digests = [];
    const { id } = await ask("POST", "", JSON.stringify({ name: file.name, size: file.size }));
    let at = 0, failures = 0;
    try {
      while (at < file.size) {
        if (own.stopped || !root.isConnected) throw Object.assign(new Error("Stopped."), { final: true });
        try {
          const piece = await read(file, at), sha256 = await digest(piece);
          digests[at / own.data.piece] = sha256;
          at = await put(id, at, piece, hex(sha256), shown);
          failures = 0;
        } catch (problem) {  // a broken connection: go on where the disk is
          if (problem.final || ++failures > 5) throw problem;
          await new Promise((wait) => setTimeout(wait, 500 * 2 ** failures));
          at = (await ask("GET", `/${id}`)).received;
        }
      }
      await read(file, 0);  // a browser refuses a file that has changed since it was dropped
      $(".sent").textContent = "Comparing what arrived with the file …";
      await ask("POST", `/${id}`, JSON.stringify({ sha256: await whole(digests) }));
    } catch (problem) {
      ask("DELETE", `/${id}`).catch(() => {});
      throw problem;
    }
    return id;
  }
  return own;
}
