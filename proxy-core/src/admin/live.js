// Shows the status, and the newest records. Whatever comes from clients is shown as text only.
"use strict";

const MOST = 200;
const at = (id) => document.getElementById(id);
let token = "";
let told = 0;
let lost = 0;

async function ask(path) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(path, { headers, cache: "no-store" });
  at("entrance").hidden = answer.status !== 401;
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
  events.onmessage = (event) => showRecord(JSON.parse(event.data));
  events.addEventListener("lost", (event) => showLosses(JSON.parse(event.data)));
}

// An EventSource cannot send a token.
async function watchWithToken() {
  const reader = (await ask("events")).body.pipeThrough(new TextDecoderStream()).getReader();
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

at("entrance").addEventListener("submit", (event) => {
  event.preventDefault();
  token = at("token").value.trim();
  showStatus();
  watchWithToken().catch((error) => { at("told").textContent = error.message; });
});

showStatus();
setInterval(showStatus, 2000);
watch();
