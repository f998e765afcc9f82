// Choosing many tasks: X or the dot beside a row, Shift-click for a range, Esc for none. What is done with them is shown first.
import { isFree } from "./keys.js";

const picks = () => [...document.querySelectorAll("[data-pick]")];
let last = null;

function tell() {
  const chosen = picks().filter((box) => box.checked);
  for (const box of picks()) box.closest("[data-row]").setAttribute("aria-selected", String(box.checked));
  const bar = document.querySelector("[data-picked-bar]");
  if (!bar) return;
  bar.hidden = chosen.length === 0;
  bar.querySelector("[data-picked-count]").textContent = chosen.length;
  if (chosen.length) document.getElementById("task-list").classList.add("task-list--picking");
  else if (document.querySelector("[data-pick-mode]")?.getAttribute("aria-pressed") !== "true") document.getElementById("task-list").classList.remove("task-list--picking");
}

function pick(boxes, isChosen) {
  for (const box of boxes) box.checked = isChosen;
  tell();
}

document.addEventListener("click", (event) => {
  const box = event.target.closest?.("[data-pick]");
  if (box) {
    const all = picks();
    if (event.shiftKey && last?.isConnected && last !== box) {
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
      for (const one of all.slice(from, to + 1)) one.checked = box.checked;
    }
    last = box;
    tell();
  }
  if (event.target.closest?.("[data-pick-all]")) pick(picks(), true);
  if (event.target.closest?.("[data-pick-none]")) pick(picks(), false);
  const mode = event.target.closest?.("[data-pick-mode]");
  if (mode) {
    const isOn = mode.getAttribute("aria-pressed") !== "true";
    mode.setAttribute("aria-pressed", String(isOn));
    document.getElementById("task-list").classList.toggle("task-list--picking", isOn);
    if (!isOn) pick(picks(), false);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !isFree(event) || document.querySelector("details[data-menu][open]")) return;
  if (picks().some((box) => box.checked)) pick(picks(), false);
});

// The preview opens with its answer; a change done closes it, and so does the list that follows.
const dialog = document.getElementById("task-bulk-dialog");
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id === "task-bulk-preview" && event.detail.target.childElementCount && !dialog.open) dialog.showModal();
  if (event.detail.target?.id === "task-list") tell();
});
document.body.addEventListener("task-list-changed", () => dialog?.close());
