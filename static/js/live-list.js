// The contact list while others work: rows that are on the screen change where they stand; rows that should move, come or
// go wait until the reader asks for them, since nothing moves under the cursor.
import { become } from "./calm.js";
import { tab } from "./live-events.js";

const SHOWN = ["contact", "tags", "note", "task", "appointment"];
const SOONEST_MS = 1000, LATEST_MS = 30_000; // the longer changes keep coming, the less often the list is asked for
const QUIET_MS = 60_000;
const MOST_PAGES = 5; // of rows far below are asked for again

const news = document.getElementById("list-news");
const rowsOf = (root) => [...root.querySelectorAll("#list tbody tr[id^=contact-]")];
const later = []; // where the rows came from that "Show more" has brought
let changed = new Set();
let isMany = false;
let wait = SOONEST_MS;
let timer = 0;
let lookedAt = 0;

function soon() {
  if (timer || document.hidden) return;
  if (Date.now() - lookedAt > QUIET_MS) wait = SOONEST_MS;
  timer = setTimeout(look, wait);
  wait = Math.min(wait * 2, LATEST_MS);
}

document.addEventListener("live:changed", ({ detail: message }) => {
  const business = document.body.dataset.liveBusiness;
  if (message.tab === tab || (business && Number(business) !== message.business)) return;
  if (!message.kinds.some((kind) => SHOWN.includes(kind))) return;
  isMany ||= message.many;
  for (const pk of message.contacts) changed.add(`contact-${pk}`);
  soon();
});
document.addEventListener("live:missed", () => {
  isMany = true;
  soon();
});
document.addEventListener("visibilitychange", () => (changed.size || isMany) && soon());

async function look() {
  timer = 0;
  lookedAt = Date.now();
  let fresh, below = [];
  const asked = location.href;
  try {
    fresh = await read(asked, "list");
    if (isMany || rowsOf(document).slice(fresh.length).some((row) => changed.has(row.id))) {
      for (const address of later.slice(-MOST_PAGES)) below.push(...await read(address, "list-more"));
    }
  } catch { return; }
  if (location.href !== asked) return; // another list by now
  const here = rowsOf(document);
  for (const row of [...below, ...fresh]) {
    const old = document.getElementById(row.id);
    if (old) become(old, row);
  }
  const order = here.map((row) => row.id).slice(0, fresh.length).join();
  if (order === fresh.map((row) => row.id).join()) return settle();
  const places = (rows) => new Map(rows.map((row, at) => [row.id, at]));
  const [before, after] = [places(here), places(fresh)];
  const moved = [...changed].filter((id) => before.get(id) !== after.get(id) && (after.has(id) || before.get(id) < fresh.length));
  tell(isMany ? 0 : Math.max(1, moved.length));
}

async function read(address, target) {
  const answer = await fetch(address, { headers: { "HX-Request": "true", "HX-Target": target, "X-Tab": tab } });
  if (!answer.ok || answer.redirected) throw new Error(answer.status);
  const text = await answer.text();
  return rowsOf(new DOMParser().parseFromString(target === "list" ? text : `<table id="list"><tbody>${text}</table>`, "text/html"));
}

function tell(count) {
  const words = news.querySelector("[data-count]");
  const said = String(count || words.dataset.many);
  if (!news.hidden && words.textContent === said) return;
  words.textContent = said;
  news.hidden = false;
}

function settle() {
  changed = new Set();
  isMany = false;
  news.hidden = true;
}

news.querySelector("button").addEventListener("click", async () => {
  await htmx.ajax("GET", location.pathname + location.search, { target: "#list", swap: "outerHTML", headers: { "HX-Target": "list" } });
  settle();
  document.querySelector("#list .table__link")?.focus();
});
// Another search or order shows everything as it is now.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "list") return;
  later.length = 0;
  settle();
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful && detail.target.id === "list-more") later.push(detail.pathInfo.requestPath);
});
