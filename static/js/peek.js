// Space looks at the contact under the cursor without leaving the list; J and K take the look along, Esc ends it.
import { isFree } from "./keys.js";

const panel = () => document.getElementById("peek");
const cursor = () => document.querySelector("[data-row][data-cursor][data-peek]");
let waiting;

function show(row) {
  if (!row || panel().dataset.of === row.id) return;
  panel().dataset.of = row.id;
  panel().hidden = false;
  const contact = new URL(row.querySelector(".table__link").href);
  const list = contact.searchParams.get("list") ?? "";
  htmx.ajax("GET", `${contact.pathname}peek/?${new URLSearchParams({ list })}`, { target: "#peek", swap: "innerHTML" });
}

function hide() {
  const hadFocus = panel().contains(document.activeElement);
  panel().hidden = true;
  panel().replaceChildren();
  delete panel().dataset.of;
  if (hadFocus) cursor()?.querySelector(".table__link").focus();
}

document.addEventListener("keydown", (event) => {
  if (!panel()) return;
  if (event.key === "Escape" && !panel().hidden && !document.querySelector("details[data-menu][open]")) return hide();
  if (event.key !== " " || !isFree(event) || event.target.closest("button, summary, input, #peek")) return;
  if (!cursor()) return;
  event.preventDefault();
  if (panel().hidden) show(cursor()); else hide();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-peek-close]")) hide();
});

// A moment of rest, so that running down the list asks for the last row only.
document.addEventListener("focusin", () => {
  if (!panel() || panel().hidden) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => { if (!panel().hidden) show(cursor()); }, 120);
});
