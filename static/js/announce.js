// Tells screen readers what a swap changed, keeps the focus on the page, and says so when an answer did not come.
const announcer = document.getElementById("announcer");

export const words = document.getElementById("words").dataset; // in the language of the page

export function announce(text) {
  announcer.textContent = "";
  // A moment later, or the same words twice would count as no change.
  setTimeout(() => { announcer.textContent = text; }, 60);
}

function lookAt(part) {
  if (!part?.querySelectorAll) return;
  const all = (selector) => [part, ...part.querySelectorAll(selector)].filter((one) => one.matches?.(selector));
  const said = all("[data-announce]").map((one) => one.dataset.announce).filter(Boolean);
  if (said.length) announce(said.join(". "));
  const target = all("[data-focus]")[0];
  if (target) target.focus({ preventScroll: false });
}

// After an outerHTML swap `htmx:load` names the new part; after an innerHTML swap it names its children.
document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt !== document.body) lookAt(event.detail.elt);
});

// What had the focus may be gone after a swap: then the nearest that is left around it gets it, not the top of the page.
const STOPS = "a[href], button:not(:disabled), input:not([type=hidden], :disabled), select, textarea, summary, [tabindex='0']";
let around = [];

document.addEventListener("htmx:beforeSwap", () => {
  const focused = document.activeElement;
  if (focused === document.body) return;
  around = [];
  for (let part = focused; part; part = part.parentElement) if (part.id) around.push(part.id);
});

document.addEventListener("htmx:afterSettle", () => {
  if (around.length && document.activeElement === document.body) {
    const left = around.map((id) => document.getElementById(id)).find(Boolean);
    const stop = [left, ...(left?.querySelectorAll(STOPS) ?? [])].find((one) => one?.matches(STOPS) && one.getClientRects().length);
    (stop ?? document.getElementById("page"))?.focus({ preventScroll: true });
  }
  around = [];
});

function trouble(text) {
  const pattern = document.getElementById("toast-pattern");
  const toast = pattern.content.firstElementChild.cloneNode(true);
  toast.querySelector(".toast__text").textContent = text;
  const corner = document.getElementById("toasts");
  for (const old of corner.querySelectorAll("[data-trouble]")) old.remove();
  toast.dataset.trouble = "";
  corner.append(toast);
}

// What asks by itself (status, badges) may fail quietly and ask again; what a person did must not.
const isPersons = (event) => event.detail.requestConfig?.triggeringEvent?.isTrusted ?? false;

document.addEventListener("htmx:sendError", (event) => {
  if (isPersons(event)) trouble(words.unreached);
});
document.addEventListener("htmx:timeout", (event) => {
  if (isPersons(event)) trouble(words.slow);
});
// A refusal in plain text is a sentence for the person.
const sentenceOf = (xhr) => ((xhr.getResponseHeader("Content-Type") || "").startsWith("text/plain") ? xhr.responseText : "");

document.addEventListener("htmx:responseError", (event) => {
  if (!isPersons(event)) return;
  const status = event.detail.xhr.status;
  if (status === 404) trouble(words.gone);
  else if (status === 403) trouble(sentenceOf(event.detail.xhr) || words.forbidden);
  else if (status === 503) trouble(words.busy);
  else trouble(words.broken);
});
