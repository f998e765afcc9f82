// Parts that refresh themselves when something they show has changed:
//   <section hx-get="…" hx-trigger="live" hx-swap="outerHTML" data-live-on="task note" data-live-contact="7">
// data-live-on: kinds of things. data-live-contact, here or around: whose; without it anybody's of the businesses in view.
// data-live-every: seconds at least between two refreshes. data-live-own: also after what was done in this very tab.
// data-live-rests: it asks by a timer of its own, and need not while announcements come.
import { announce, words } from "./announce.js";
import { isBusy } from "./calm.js";
import { isOn, tab } from "./live-events.js";

const GATHER_MS = 120;
const STILL_MS = 1200; // so long nobody has pointed at a part before what stands in it may move
const EVERY_S = 1;
const MANY_S = 15; // while a large read names nobody in particular
const DEAF_MS = 60_000; // while no announcements come, every part asks so often
const RESTS_MS = 60_000; // an announcement may be lost: a resting part asks so often all the same

const due = new Map(); // part → { since, many }
const refreshed = new WeakMap();
const left = new Set(); // parts in which somebody was busy
let pointed = { at: 0, target: null };

function concerns(part, message) {
  if (message.tab === tab && !("liveOwn" in part.dataset)) return false;
  if (!part.dataset.liveOn.split(" ").some((kind) => message.kinds.includes(kind))) return false;
  const contact = part.closest("[data-live-contact]")?.dataset.liveContact;
  if (contact) return message.many || message.contacts.includes(Number(contact));
  const business = document.body.dataset.liveBusiness;
  return !business || Number(business) === message.business;
}

document.addEventListener("live:changed", ({ detail: message }) => {
  for (const part of document.querySelectorAll("[data-live-on]")) if (concerns(part, message)) want(part, message.many);
  say(message);
  if (message.tab === tab) return;
  for (const pk of message.changes) {
    const badge = document.getElementById(`change-${pk}`);
    if (badge?.hasAttribute("hx-get")) refresh(badge);
    else want(badge?.closest("[data-live-on]")); // decided by somebody else
  }
});
function wantAll() {
  for (const part of document.querySelectorAll("[data-live-on]")) want(part);
}
document.addEventListener("live:missed", wantAll);
setInterval(() => { if (!isOn()) wantAll(); }, DEAF_MS);

// It does not bubble: a badge that asks is no reason for the part around it to ask.
export const refresh = (part) => part.dispatchEvent(new CustomEvent("live"));

let timer = 0;
function want(part, many = false) {
  if (!part) return;
  const known = due.get(part);
  due.set(part, { since: known?.since ?? Date.now(), many: many && (known?.many ?? true) });
  left.delete(part);
  if (!timer) timer = setTimeout(work, GATHER_MS);
}

// In a word, and not each time: what has changed before a reader's eyes would else be nothing to the ears.
let saidAt = 0;
function say(message) {
  const here = document.querySelector("[data-live-contact]")?.dataset.liveContact;
  const kinds = message.kinds.map((kind) => words[`kind${kind[0].toUpperCase()}${kind.slice(1)}`]).filter(Boolean);
  if (!here || message.tab === tab || !message.contacts.includes(Number(here)) || !kinds.length || Date.now() - saidAt < 10_000) return;
  saidAt = Date.now();
  announce(`${words.changed} ${kinds.join(", ")}.`);
}

// Whether somebody is about to use what stands there. Not for ever: who keeps moving must see news, too.
function isPointedAt(part, since) {
  const now = Date.now();
  return part.contains(pointed.target) && now - pointed.at < STILL_MS && now - since < 15_000;
}

function work() {
  timer = 0;
  if (document.hidden) return;
  for (const [part, { since, many }] of due) {
    if (!part.isConnected) {
      due.delete(part);
      continue;
    }
    const every = Math.max(Number(part.dataset.liveEvery ?? EVERY_S), many ? MANY_S : 0) * 1000;
    if (Date.now() - (refreshed.get(part) ?? 0) < every || isPointedAt(part, since)) continue;
    due.delete(part);
    refreshed.set(part, Date.now());
    refresh(part);
  }
  if (due.size) timer = setTimeout(work, 300);
}
document.addEventListener("visibilitychange", () => { if (!document.hidden && due.size && !timer) timer = setTimeout(work, 0); });

for (const name of ["pointermove", "pointerdown", "keydown"]) {
  document.addEventListener(name, (event) => { pointed = { at: Date.now(), target: event.target }; }, { passive: true });
}

// --- what somebody was busy with is refreshed when they have done ---------------------------------------------------
document.addEventListener("calm:left", (event) => {
  const part = event.detail.part.closest("[data-live-on]");
  if (part) left.add(part);
});
const look = () => setTimeout(() => {
  for (const part of left) {
    if (!part.isConnected) left.delete(part);
    else if (!isBusy(part)) want(part);
  }
}, 50);
for (const name of ["focusout", "restored", "htmx:afterSettle"]) document.addEventListener(name, () => left.size && look());
document.addEventListener("toggle", () => left.size && look(), true);

for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(name, (event) => {
    const part = event.detail.elt;
    if (part.isConnected && event.detail.requestConfig?.triggeringEvent?.type === "live" && part.matches("[data-live-on]")) {
      refreshed.set(part, Date.now() + 10_000);
      want(part);
    }
  });
}

// --- what asks by a timer rests --------------------------------------------------------------------------------------
const asked = new WeakMap();
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, requestConfig } = event.detail;
  if (!elt.matches("[data-live-rests]") || requestConfig.triggeringEvent) return;
  const now = Date.now();
  if (!asked.has(elt)) asked.set(elt, now);
  if (isOn() && now - asked.get(elt) < RESTS_MS) event.preventDefault();
  else asked.set(elt, now);
});
