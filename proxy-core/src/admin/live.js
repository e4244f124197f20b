// Shows the status, and the newest records. Whatever comes from clients is shown as text only.
"use strict";

const MOST = 200;
const at = (id) => document.getElementById(id);
const PAUSE = 2000;
let token = "";
let told = 0;
let lost = 0;
let watching = new AbortController();

async function ask(path, signal) {
  const asked = token;
  const headers = asked ? { Authorization: `Bearer ${asked}` } : {};
  const answer = await fetch(path, { headers, signal, cache: "no-store" });
  // Another one may have been entered meanwhile.
  if (asked === token) {
    const isLetIn = answer.status !== 401;
    // Who sends a wrong one again and again is kept out.
    if (!isLetIn) token = "";
    at("entrance").hidden = isLetIn;
  }
  if (!answer.ok) throw new Error(await answer.text());
  return answer;
}

async function showStatus() {
  try {
    const status = await (await ask("status.json")).json();
    const parts = [
      `version ${status.version}`,
      `up for ${Math.round(status.uptime_ms / 1000)} s`,
      `${status.connections.open} connections`,
      `${status.connections.tunnels} tunnels`,
      `${status.log.dropped} records lost`,
    ];
    if (status.draining) parts.unshift("draining");
    at("status").textContent = parts.join(", ");
  } catch (error) {
    at("status").textContent = error.message;
  }
}

function showRecord(record) {
  told += 1;
  const row = document.createElement("tr");
  const cells = [
    record.time.slice(11, 23),
    record.client,
    record.reason ? `${record.status ?? "-"} ${record.reason}` : record.status ?? "-",
    record.kind === "tunnel" ? `${record.method} ${record.event}` : record.method,
    `${record.duration_ms} ms`,
    record.target,
  ];
  for (const text of cells) row.insertCell().textContent = text;
  at("records").prepend(row);
  while (at("records").rows.length > MOST) at("records").lastElementChild.remove();
  count();
}

function showLosses(losses) {
  lost += losses.lost;
  count();
}

function count() {
  at("told").textContent = `${told} records` + (lost ? `, ${lost} missed` : "");
}

function watch() {
  const events = new EventSource("events");
  events.onopen = count;
  // It tries again by itself, unless it was refused. What to do about that the status says.
  events.onerror = () => { at("told").textContent = "no records come at the moment"; };
  events.onmessage = (event) => showRecord(JSON.parse(event.data));
  events.addEventListener("lost", (event) => showLosses(JSON.parse(event.data)));
}

// An EventSource cannot send a token.
async function watchWithToken() {
  watching.abort();
  watching = new AbortController();
  const { signal } = watching;
  while (token && !signal.aborted) {
    try {
      await readEvents(signal);
    } catch (error) {
      if (!signal.aborted) at("told").textContent = error.message;
    }
    await new Promise((goOn) => setTimeout(goOn, PAUSE));
  }
}

// Until they end.
async function readEvents(signal) {
  const answer = await ask("events", signal);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  count();
  for (let text = "";;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (text + value).split("\n\n");
    text = events.pop();
    for (const event of events) {
      const data = event.match(/^data: (.*)$/m);
      if (data) (event.startsWith("event: lost") ? showLosses : showRecord)(JSON.parse(data[1]));
    }
  }
}

at("entrance").addEventListener("submit", async (event) => {
  event.preventDefault();
  token = at("token").value.trim();
  await showStatus();
  watchWithToken();
});

showStatus();
// Without a token there is nothing to see, where one is needed.
setInterval(() => { if (token || at("entrance").hidden) showStatus(); }, PAUSE);
watch();
