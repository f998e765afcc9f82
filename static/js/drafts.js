// What is typed is saved on the server while it is typed: forms with [data-draft], the address that takes it.
// The answer is the sentence for [data-draft-said]; an empty one says that nothing is kept any more.
import { words } from "./announce.js";

const WAIT_MS = 700;
const LATER_MS = [3000, 10_000, 30_000]; // after so many failures

const states = new WeakMap();
const formOf = (target) => target.closest?.("form[data-draft]");
const forms = () => document.querySelectorAll("form[data-draft]");

function stateOf(form) {
  if (!states.has(form)) states.set(form, { timer: 0, isDirty: false, failures: 0, saving: null });
  return states.get(form);
}

function later(form, after = WAIT_MS) {
  const state = stateOf(form);
  state.isDirty = true;
  clearTimeout(state.timer);
  state.timer = setTimeout(() => save(form), after);
}

// One at a time, or an older text could overtake a newer one.
async function save(form, isLeaving = false) {
  const state = stateOf(form);
  clearTimeout(state.timer);
  if (state.saving && !isLeaving) await state.saving;
  if (!state.isDirty || !form.isConnected) return;
  state.isDirty = false;
  state.saving = post(form, state, isLeaving);
  await state.saving;
  state.saving = null;
}

async function post(form, state, isLeaving) {
  const body = new FormData(form);
  const headers = { ...JSON.parse(document.body.getAttribute("hx-headers") ?? "{}"), "HX-Request": "true" };
  let said = "";
  try {
    const answer = await fetch(form.dataset.draft, { method: "POST", body, headers, keepalive: isLeaving });
    const isSentence = (answer.headers.get("Content-Type") ?? "").startsWith("text/plain");
    if (answer.status >= 500) throw new Error(answer.statusText);
    said = isSentence && !answer.redirected ? await answer.text() : words.draftRefused;
    state.failures = 0;
  } catch {
    said = words.draftLost;
    later(form, LATER_MS[Math.min(state.failures, LATER_MS.length - 1)]);
    state.failures += 1;
  }
  say(form, said);
}

function say(form, said) {
  const place = form.querySelector("[data-draft-said]");
  if (place) place.textContent = said;
  for (const act of form.querySelectorAll("[data-draft-discard]")) act.hidden = !said;
}

function rest(form) {
  const state = stateOf(form);
  clearTimeout(state.timer);
  state.isDirty = false;
  return state.saving;
}

document.addEventListener("input", (event) => {
  const form = formOf(event.target);
  if (form && event.target.name) later(form);
});
document.addEventListener("change", (event) => {
  const form = formOf(event.target);
  if (form && event.target.matches("select, input")) later(form);
});

addEventListener("pagehide", () => forms().forEach((form) => save(form, true)));
document.addEventListener("visibilitychange", () => { if (document.hidden) forms().forEach((form) => save(form, true)); });

// Sent: a draft that is still on its way must not come after what it was a draft of.
document.addEventListener("htmx:confirm", (event) => {
  const form = event.detail.elt;
  if (!form.matches?.("form[data-draft]")) return;
  const saving = rest(form);
  if (!saving) return;
  event.preventDefault();
  saving.finally(() => event.detail.issueRequest(true));
});
// Not sent after all.
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (form.matches?.("form[data-draft]") && !event.detail.successful && form.isConnected) later(form);
});
document.addEventListener("htmx:load", (event) => {
  for (const form of event.detail.elt.querySelectorAll?.("form[data-draft]:has([aria-invalid=true])") ?? []) later(form);
});

// Closing an editor keeps what was typed in it: first saved, then closed, so that the note can say so.
document.addEventListener("click", (event) => {
  const cancel = event.target.closest?.("form[data-draft] [data-cancel]");
  const form = cancel && formOf(cancel);
  if (!form || !stateOf(form).isDirty) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  save(form).finally(() => cancel.click());
}, true);

// The composer as the server has it. What was typed here and is not saved stays, below what comes.
async function showAnew() {
  const composer = document.getElementById("compose");
  if (!composer) return;
  const answer = await fetch(composer.dataset.again, { headers: { "HX-Request": "true" } });
  if (!answer.ok || answer.redirected || !composer.isConnected) return;
  const html = await answer.text();
  const typed = [...composer.querySelectorAll("form[data-draft]")].filter((form) => stateOf(form).isDirty);
  const kept = typed.flatMap((form) => [...form.querySelectorAll("textarea")]).map(({ id, value }) => ({ id, value }));
  const focused = composer.contains(document.activeElement) ? document.activeElement.id : "";
  typed.forEach(rest);
  htmx.swap(composer, html, { swapStyle: "outerHTML" }, { contextElement: composer });
  for (const { id, value } of kept) {
    const box = document.getElementById(id);
    if (!box || !value.trim() || box.value.includes(value)) continue;
    box.value = [box.value, value].filter(Boolean).join("\n\n");
    later(box.form);
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

// Undo puts a text back above what was typed since, so that is saved first.
document.addEventListener("htmx:confirm", (event) => {
  const typed = [...forms()].filter((form) => stateOf(form).isDirty);
  if (!event.detail.path?.endsWith("/undo/") || !typed.length) return;
  event.preventDefault();
  Promise.all(typed.map((form) => save(form))).finally(() => event.detail.issueRequest(true));
});
document.addEventListener("draft-changed", showAnew);

// What was typed just before a reload may have been saved just after the page was read.
const [arrival] = performance.getEntriesByType("navigation");
if (["reload", "back_forward"].includes(arrival?.type)) setTimeout(showAnew, 600);
