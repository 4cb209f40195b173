// Training live: events of the store say that there is news, the server says how it stands.
"use strict";

const live = document.getElementById("live");
const LEAST = 900; // milliseconds between two looks
let since = performance.now(), waits = 0;

/** Return seconds as the server writes them. */
function clock(seconds) {
  const s = Math.floor(seconds), parts = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  if (s < 60) return `${s} s`;
  return parts[0] ? `${parts[0]} h ${parts[1]} min` : `${parts[1]} min ${parts[2]} s`;
}

/** Let the time go on between two looks. */
function tick() {
  const gone = (performance.now() - since) / 1000;
  for (const one of live.querySelectorAll("[data-elapsed]")) one.textContent = clock(Number(one.dataset.elapsed) + gone);
  for (const one of live.querySelectorAll("[data-clock]")) one.value = Math.min(one.max, Number(one.dataset.clock) + gone);
}

/** Look how it stands; what is open stays open, and what has the focus keeps it. */
async function look() {
  waits = 0;
  const reply = await fetch(location.pathname, { headers: { "HX-Request": "true" } });
  const elsewhere = reply.headers.get("HX-Redirect"); // to the door: the sitting has ended
  if (elsewhere) return void location.assign(elsewhere);
  if (!reply.ok || reply.redirected) return;
  const open = [...live.querySelectorAll("details[open]")].map((one) => one.id);
  const focus = document.activeElement?.id, scroll = live.querySelector(".scroll")?.scrollTop ?? 0;
  live.innerHTML = await reply.text(); // our own server's _training.html
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (live.querySelector(".scroll")) live.querySelector(".scroll").scrollTop = scroll;
  if (focus) document.getElementById(focus)?.focus();
  since = performance.now();
}

function later() {
  if (!waits) waits = setTimeout(() => look().catch(() => 0), LEAST);
}

function follow() {
  const source = new EventSource(`${live.dataset.stream}?after=${live.dataset.after}`);
  for (const kind of ["started", "measured", "warned", "finished", "state"]) source.addEventListener(kind, later);
  source.addEventListener("ended", () => { source.close(); clearTimeout(waits); look(); });
  source.addEventListener("error", () => {
    const toast = document.getElementById("toast");
    if (source.readyState === EventSource.CLOSED) toast.innerHTML = '<p>Studio was started anew. <a href="">Reload this page</a>; the training goes on.</p>';
    else toast.textContent = "Studio does not answer. The training goes on; this page tries again.";
  });
  source.addEventListener("open", () => document.getElementById("toast").replaceChildren());
}

setInterval(tick, 250);
follow();
