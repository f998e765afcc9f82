// The contact page: nothing that is being written in is swapped away, drafts outlive leaving, fields can be found.

// --- what someone is busy with stays ------------------------------------------------------------------------------
const WRITES = "textarea, select, input:not([type=hidden], [type=checkbox], [type=radio], [type=search])";

function differs(control) {
  if (control.tagName === "SELECT") return [...control.options].some((option) => option.selected !== option.defaultSelected);
  return control.value !== control.defaultValue;
}

function isBusy(part) {
  const focused = document.activeElement;
  if (part.contains(focused) && focused.matches(WRITES)) return true;
  if (part.querySelector("details.menu[open]")) return true;
  return [...part.querySelectorAll(WRITES)].some((control) => !control.closest(".composer") && control.offsetParent && differs(control))
    || part.querySelector(".note__form, .task--editing") !== null;
}

// The part must wait, its badge need not. A confirmed one is done; others go on asking until the part can be swapped.
function tellBadge(badge, answer) {
  const fresh = new DOMParser().parseFromString(answer, "text/html").getElementById(badge.id);
  if (!fresh) return;
  if (fresh.matches(".change-badge--confirmed")) badge.replaceWith(fresh);
  else badge.innerHTML = fresh.innerHTML;
}

// A person's own act may swap; what comes by itself (a badge, a refresh) waits and asks again.
const byItself = (event) => !["click", "submit", "change"].includes(event.detail.requestConfig?.triggeringEvent?.type);

document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.target;
  if (!part?.isConnected || !byItself(event) || !event.detail.shouldSwap) return;
  if (!part.closest(".columns, .contact-head") || part.matches(".change-badge, [id^=fresh-]") || !isBusy(part)) return;
  event.detail.shouldSwap = false;
  const asked = event.detail.elt;
  if (asked.matches(".change-badge")) return tellBadge(asked, event.detail.serverResponse);
  setTimeout(() => asked.isConnected && htmx.trigger(asked, "contact-refreshed"), 4000);
});

// Esc on a value that was refused goes back to the one that is saved.
document.addEventListener("restored", (event) => {
  const control = event.target.querySelector("[data-was]");
  if (!control || document.activeElement !== control) return;
  control.value = control.dataset.was;
  control.setAttribute("value", control.dataset.was);
  control.removeAttribute("data-was");
  control.removeAttribute("aria-invalid");
  event.target.closest(".field")?.querySelector(".field__note--bad")?.remove();
});

// --- what is open stays open ------------------------------------------------------------------------------------------
let opened = [];
let ticked = [];
let focused = "";

document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.target;
  if (!part?.querySelectorAll) return;
  opened = [...part.querySelectorAll("details[id][open]")].map((one) => one.id);
  ticked = [...part.querySelectorAll("[data-keep]:checked")].map((one) => one.id);
  focused = part.contains(document.activeElement) ? document.activeElement.id : "";
});

document.addEventListener("htmx:afterSwap", () => {
  for (const id of opened) {
    const part = document.getElementById(id);
    if (part) part.open = true;
  }
  for (const id of ticked) {
    const box = document.getElementById(id);
    if (box) box.checked = true;
  }
  // What stood in a part that was closed for a moment could not be given the focus back.
  if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
});

// --- drafts -------------------------------------------------------------------------------------------------------
const contact = document.querySelector("[data-contact]")?.dataset.contact;
const keyOf = (box) => `draft:${contact}:${box.dataset.draft}`;
const keep = (box) => {
  try {
    if (box.value.trim()) localStorage.setItem(keyOf(box), box.value);
    else localStorage.removeItem(keyOf(box));
  } catch { return; }
  const word = box.form?.querySelector("[data-draft-said]");
  if (word) word.textContent = box.value.trim() ? `Draft kept ${new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}.` : "";
};

function bringBack(root) {
  for (const box of root.querySelectorAll?.("[data-draft]") ?? []) {
    if (box.value) continue;
    let text = null;
    try { text = localStorage.getItem(keyOf(box)); } catch { /* private window */ }
    if (!text) continue;
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

let waiting = 0;
document.addEventListener("input", (event) => {
  const box = event.target.closest?.("[data-draft]");
  if (!box) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => keep(box), 400);
});
addEventListener("pagehide", () => document.querySelectorAll("[data-draft]").forEach((box) => box.value.trim() && keep(box)));

document.addEventListener("htmx:load", (event) => {
  const part = event.detail.elt;
  const composer = part.matches?.("#compose") ? part : null;
  if (!composer) return;
  clearTimeout(waiting);
  if (composer.dataset.saved) {
    try { localStorage.removeItem(`draft:${contact}:${composer.dataset.saved}`); } catch { /* private window */ }
    composer.querySelector(composer.dataset.saved === "task" ? "#task-title" : "#note-body")?.focus({ preventScroll: true });
  }
  bringBack(composer);
});
bringBack(document);

// --- keys -----------------------------------------------------------------------------------------------------------
document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (event.isComposing) return;
  if (event.key === "Enter" && box.matches("[data-enter-submits]") && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    box.form.requestSubmit();
  }
  if (event.key === "Escape" && box.matches("[data-esc-cancels]")) {
    event.stopPropagation();
    box.form.querySelector("[data-cancel]")?.click();
  }
});

// After Cancel the focus goes back to where the editor was opened.
document.addEventListener("click", (event) => {
  const cancel = event.target.closest?.("[data-cancel]");
  if (!cancel) return;
  const part = cancel.closest(".note, .task")?.id;
  document.addEventListener("htmx:afterSettle", () => {
    document.getElementById(part)?.querySelector("[id^=edit-note-], [id^=open-task-]")?.focus();
  }, { once: true });
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-compose]");
  const tab = link && document.getElementById(`compose-${link.dataset.compose}`);
  if (!tab) return;
  event.preventDefault();
  document.querySelector('[data-pane-tab][href$="#history"]')?.click();
  tab.checked = true;
  tab.dispatchEvent(new Event("change", { bubbles: true }));
});
document.addEventListener("change", (event) => {
  if (!event.target.matches("[name=composing]")) return;
  document.getElementById(event.target.value === "task" ? "task-title" : "note-body").focus();
});

// A popover's Save closes it, for the part it stands in is swapped.
document.addEventListener("submit", (event) => {
  const menu = event.target.closest(".field details.menu, .task details.menu");
  if (menu) menu.open = false;
});

// --- find a field -------------------------------------------------------------------------------------------------
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-find-field]")) return;
  const words = event.target.value.trim().toLowerCase();
  const panel = document.getElementById("panel-fields");
  const folded = document.getElementById("fields-empty");
  let found = 0;
  for (const field of panel.querySelectorAll(".field")) {
    field.hidden = !(field.dataset.find ?? "").toLowerCase().includes(words);
    found += !field.hidden;
  }
  for (const group of panel.querySelectorAll("[data-find-group]")) group.hidden = !group.querySelector(".field:not([hidden])");
  if (folded) {
    if (words && folded.dataset.was === undefined) folded.dataset.was = String(folded.open);
    if (words) folded.open = true;
    else if (folded.dataset.was !== undefined) {
      folded.open = folded.dataset.was === "true";
      delete folded.dataset.was;
    }
    folded.hidden = Boolean(words) && !folded.querySelector(".field:not([hidden])");
  }
  panel.querySelector("[data-find-none]").hidden = found > 0;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !event.target.matches("[data-find-field]")) return;
  event.target.value = "";
  event.target.dispatchEvent(new Event("input", { bubbles: true }));
  event.target.blur();
});
