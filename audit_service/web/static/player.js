// Jumps to the second of a line or finding, and follows the playback in the transcript.
const audio = document.getElementById("audio");
const turns = [...document.querySelectorAll(".turn[data-start]")];

const BEFORE_LINE_S = 0.3;
const BEFORE_WORD_S = 0.1;

function jump(seconds, before = BEFORE_LINE_S) {
  const go = () => {
    audio.currentTime = Math.max(0, seconds - before);
    audio.play().catch(() => {});
  };
  if (audio.readyState >= 1) go();
  else audio.addEventListener("loadedmetadata", go, { once: true });
}

// Offset in the line's text of the place that was clicked; what is only there to be read aloud does not count.
function offsetIn(line, event) {
  const place = document.caretRangeFromPoint
    ? document.caretRangeFromPoint(event.clientX, event.clientY)
    : document.caretPositionFromPoint(event.clientX, event.clientY);
  const node = place?.startContainer ?? place?.offsetNode;
  if (!node || !line.contains(node)) return null;
  let offset = 0;
  const texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.parentElement.closest(".hidden")) continue;
    // Offsets are those of characters, not of UTF-16 units.
    if (text === node) return offset + [...text.data.slice(0, place.startOffset ?? place.offset)].length;
    offset += [...text.data].length;
  }
  return null;
}

function secondOf(line, event) {
  const offset = offsetIn(line, event);
  const said = JSON.parse(line.dataset.words).filter(([start]) => offset !== null && start <= offset);
  return said.length ? said[said.length - 1][1] : null;
}

document.addEventListener("click", (event) => {
  const place = event.target.closest("[data-seek]");
  if (place) return jump(Number(place.dataset.seek));
  const mark = event.target.closest("mark a");
  if (mark) {
    const finding = document.querySelector(mark.getAttribute("href"))?.querySelector("[data-seek]");
    if (finding) jump(Number(finding.dataset.seek));
    return;
  }
  if (event.target.closest("details, form")) return;
  const line = event.target.closest("[data-words]");
  const second = line ? secondOf(line, event) : null;
  if (second !== null) return jump(second, BEFORE_WORD_S);
  const turn = event.target.closest(".turn[data-start]");
  if (turn) jump(Number(turn.dataset.start));
});

audio.addEventListener("timeupdate", () => {
  const now = audio.currentTime;
  for (const turn of turns) {
    turn.classList.toggle("playing", now >= Number(turn.dataset.start) && now < Number(turn.dataset.end));
  }
});

// Tells the service which seconds were really played: doubtful findings can be confirmed only by who listened.
let begun = null;
let last = null;
const LONGEST_STEP_S = 1.5;

function report() {
  if (begun !== null && last - begun > 0.2 && audio.dataset.played) {
    const body = new FormData();
    body.append("start", begun.toFixed(2));
    body.append("end", last.toFixed(2));
    fetch(audio.dataset.played, { method: "POST", body, headers: { "X-CSRFToken": audio.dataset.token }, keepalive: true });
  }
  begun = null;
}

audio.addEventListener("timeupdate", () => {
  const now = audio.currentTime;
  if (audio.seeking || audio.paused) return;
  if (begun !== null && (now < last || now - last > LONGEST_STEP_S)) report();
  if (begun === null) begun = now;
  last = now;
});
audio.addEventListener("pause", () => {
  if (begun !== null && audio.currentTime >= last && audio.currentTime - last < LONGEST_STEP_S) last = audio.currentTime;
  report();
});
audio.addEventListener("seeking", report);
setInterval(() => {
  if (begun === null || last - begun < 2) return;
  const reached = last;
  report();
  begun = reached;
}, 1000);
