// Jumps to the second of a line or finding, and follows the playback in the transcript.
const audio = document.getElementById("audio");
const turns = [...document.querySelectorAll(".turn[data-start]")];

function jump(seconds) {
  const go = () => {
    audio.currentTime = Math.max(0, seconds - 0.3);
    audio.play().catch(() => {});
  };
  if (audio.readyState >= 1) go();
  else audio.addEventListener("loadedmetadata", go, { once: true });
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
  const turn = event.target.closest(".turn[data-start]");
  if (turn) jump(Number(turn.dataset.start));
});

audio.addEventListener("timeupdate", () => {
  const now = audio.currentTime;
  for (const turn of turns) {
    turn.classList.toggle("playing", now >= Number(turn.dataset.start) && now < Number(turn.dataset.end));
  }
});
