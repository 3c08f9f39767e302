// Sends the files of the form piece by piece (tus 1.0.0), goes on where a broken upload stopped, and shows how far it is.
const form = document.getElementById("upload");
const input = form.querySelector("input[type=file]");
const status = form.querySelector("[role=status]");
const bar = form.querySelector("progress");
const words = form.dataset;
const PIECE = 4 * 1024 * 1024;
const TRIES = 6;
const headers = { "X-CSRFToken": form.querySelector("[name=csrf_token]").value };

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

async function digest(file) {
  if (!window.crypto?.subtle) return "";
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Refused extends Error {}

async function ask(address, options) {
  const answer = await fetch(address, { ...options, headers: { ...headers, ...options.headers } });
  if (answer.status >= 400 && answer.status < 500 && answer.status !== 409) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    throw new Refused(page.querySelector("main")?.innerText.trim() || String(answer.status));
  }
  if (!answer.ok) throw new Error(String(answer.status));
  return answer;
}

async function send(file, create, sent) {
  const metadata = [`filename ${base64(file.name)}`];
  const sha256 = await digest(file);
  if (sha256) metadata.push(`sha256 ${base64(sha256)}`);
  const made = await ask(create, {
    method: "POST",
    headers: { "Upload-Length": String(file.size), "Upload-Metadata": metadata.join(",") },
  });
  const place = made.headers.get("Location");
  let offset = 0;
  for (let tries = 0; offset < file.size; ) {
    try {
      const piece = await ask(place, {
        method: "PATCH",
        headers: { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
        body: file.slice(offset, offset + PIECE),
      });
      offset = Number(piece.headers.get("Upload-Offset"));
      tries = 0;
    } catch (error) {
      if (error instanceof Refused || ++tries >= TRIES) throw error;
      await wait(500 * 2 ** tries);
      const stands = await ask(place, { method: "HEAD" }).catch(() => null);
      if (stands) offset = Number(stands.headers.get("Upload-Offset"));
    }
    sent(offset);
  }
}

async function sendAll(files) {
  const total = files.reduce((sum, file) => sum + file.size, 0);
  let before = 0;
  bar.hidden = false;
  form.querySelectorAll("button, input").forEach((one) => (one.disabled = true));
  try {
    const batch = await (await ask(words.batches, { method: "POST" })).json();
    for (const [number, file] of files.entries()) {
      status.textContent = `${number + 1} / ${files.length}: ${file.name}`;
      await send(file, batch.create, (offset) => (bar.value = (before + offset) / total));
      before += file.size;
    }
    const done = await (await ask(batch.finish, { method: "POST" })).json();
    window.location.assign(done.next);
  } catch (error) {
    status.textContent = error instanceof Refused ? error.message : words.broken;
    form.querySelectorAll("button, input").forEach((one) => (one.disabled = false));
    bar.hidden = true;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (input.files.length) sendAll([...input.files]);
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  form.addEventListener(kind, (event) => {
    event.preventDefault();
    form.classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) sendAll([...event.dataTransfer.files]);
  });
}
