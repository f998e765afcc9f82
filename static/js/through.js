// The queue by keyboard: D done, R reschedule, S skip, Esc leaves.
import { areOn, isFree } from "./keys.js";

const WRITES = "input, textarea, select, [contenteditable=true]";

document.addEventListener("keydown", (event) => {
  const bar = document.querySelector("[data-through]");
  if (!bar) return;
  if (event.key === "Escape") {
    // Esc first closes what is open and restores what is being typed.
    const isBusy = event.defaultPrevented || event.target.closest?.(WRITES)
      || document.querySelector("dialog[open], details[data-menu][open], :popover-open, .task--editing, .appointment-form");
    if (isBusy || !areOn()) return;
  } else if (!isFree(event) || event.target.closest?.("details[data-menu][open]")) return;
  const key = event.key === "Escape" ? "Escape" : event.key.toLowerCase();
  const control = bar.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!control) return;
  event.preventDefault();
  control.click();
}, true);
