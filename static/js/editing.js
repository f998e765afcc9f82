// "Somebody is editing this note": says so to others while an editor is open here, and shows what others have open.
import { announce } from "./announce.js";
import { tab } from "./live-events.js";
import { refresh } from "./live-parts.js";

const BEAT_MS = 8000; // the server believes it for 20 s
const SETTLED_MS = 300; // Tab through the fields is no editing
const AWAY_MS = 4 * 60_000; // who has looked elsewhere for so long has left
const WRITES = "textarea, select, input:not([type=hidden], [type=checkbox], [type=radio], [type=search])";
const EDITORS = ".note__form, .task--editing > form, form[data-editor]";

const list = () => document.getElementById("who-edits");
const address = list()?.getAttribute("hx-get");
let mine = new Set();
let hiddenAt = 0;

function records() {
  const found = new Set();
  for (const editor of document.querySelectorAll(EDITORS)) found.add(editor.closest("[data-record]")?.dataset.record);
  const focused = document.activeElement;
  if (focused?.matches(WRITES) && focused.closest("form")) found.add(focused.closest("[data-record]")?.dataset.record);
  found.delete(undefined);
  return found;
}

async function say(record, done) {
  const body = new FormData();
  body.set("record", record);
  if (done) body.set("done", "1");
  const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), "X-Tab": tab, "HX-Request": "true" };
  try {
    const answer = await fetch(address, { method: "POST", body, headers, keepalive: true });
    if (answer.ok && !answer.redirected && list()) {
      htmx.swap(list(), await answer.text(), { swapStyle: "calm" }, { contextElement: list() });
    }
  } catch { /* the next beat says it again */ }
}

function look() {
  const now = hiddenAt && Date.now() - hiddenAt > AWAY_MS ? new Set() : records();
  for (const record of now) if (!mine.has(record)) say(record);
  for (const record of mine) if (!now.has(record)) say(record, true);
  mine = now;
}

// --- what others have open --------------------------------------------------------------------------------------------
let shown = new Set();
let again = 0;

function show() {
  const lines = [...(list()?.querySelectorAll("[data-edited]") ?? [])];
  const wanted = new Map(lines.map((line) => [line.dataset.edited, line]));
  for (const old of document.querySelectorAll("[data-record] > .editing-by")) {
    const line = wanted.get(old.parentNode.dataset.record);
    if (line?.textContent !== old.textContent) old.remove();
  }
  for (const [record, line] of wanted) {
    for (const place of document.querySelectorAll(`[data-record="${CSS.escape(record)}"]`)) {
      if (!place.querySelector(":scope > .editing-by")) place.append(line.cloneNode(true));
    }
    if (!shown.has(record)) announce(line.textContent.trim());
  }
  shown = new Set(wanted.keys());
}

// Whoever vanished without a word is believed to be there for a while.
function lookAgain() {
  clearTimeout(again);
  const seconds = Number(list()?.dataset.lookAgain);
  if (seconds) again = setTimeout(() => list() && refresh(list()), seconds * 1000 + 500);
}

if (address) {
  let timer = 0;
  const soon = (after) => {
    clearTimeout(timer);
    timer = setTimeout(look, after);
  };
  document.addEventListener("focusin", () => soon(SETTLED_MS));
  document.addEventListener("focusout", () => soon(SETTLED_MS));
  document.addEventListener("visibilitychange", () => {
    hiddenAt = document.hidden ? Date.now() : 0;
    soon(0);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    show();
    if (event.target === list()) lookAgain();
  });
  document.addEventListener("htmx:afterSettle", () => soon(0));
  setInterval(() => {
    look();
    for (const record of mine) say(record);
  }, BEAT_MS);
  addEventListener("pagehide", () => {
    for (const record of mine) say(record, true);
    mine = new Set();
  });
  addEventListener("pageshow", (event) => event.persisted && look());
  look();
}
