// The contact page: what is open stays open, and its keys.

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

// --- the composer ---------------------------------------------------------------------------------------------------
const BOXES = { note: "note-body", task: "task-title", call: "call-body" };
const focusOn = (kind) => document.getElementById(BOXES[kind])?.focus({ preventScroll: true });

document.addEventListener("htmx:load", (event) => {
  const composer = event.detail.elt;
  if (composer.matches?.("#compose[data-saved]")) focusOn(composer.dataset.saved);
});

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
  if (event.target.matches("[name=composing]")) focusOn(event.target.value);
});

// A popover's Save closes it, for the part it stands in is swapped.
document.addEventListener("submit", (event) => {
  const menu = event.target.closest(".field details.menu, .task details.menu");
  if (menu) menu.open = false;
});
