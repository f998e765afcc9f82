// Keys for people who know them. Single keys can be turned off in the list of shortcuts or among the preferences.
import { areOn, isFree } from "./keys.js";

let leader = 0;

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.isComposing) return;

  if (key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const text = target.closest?.("[data-submit-on='ctrl-enter']");
    if (text) {
      event.preventDefault();
      text.form.requestSubmit();
    }
    return;
  }
  if (key === "Escape" && target.matches?.("[data-search]")) return target.blur();
  if (!isFree(event)) return;

  if (Date.now() - leader < 1200) {
    leader = 0;
    const place = document.querySelector(`[data-go="${CSS.escape(key.toLowerCase())}"]`);
    if (place) {
      event.preventDefault();
      location.assign(place.href);
      return;
    }
  }

  const acts = {
    "/": () => focusOn("[data-search]"),
    "?": () => document.getElementById("shortcuts")?.showModal(),
    g: () => { leader = Date.now(); },
    n: () => focusOn("[data-note]"),
    "[": () => follow("[data-previous]"),
    "]": () => follow("[data-next]"),
  };
  if (Object.hasOwn(acts, key) && acts[key]() !== false) event.preventDefault();
});

function focusOn(selector) {
  const field = [...document.querySelectorAll(selector)].find((one) => one.getClientRects().length);
  if (!field) return false;
  field.focus();
  field.select?.();
}

function follow(selector) {
  const link = document.querySelector(`${selector}[href]`);
  if (!link) return false;
  link.click();
}

for (const box of document.querySelectorAll("[data-shortcuts-on]")) {
  box.checked = areOn();
  box.addEventListener("change", () => {
    document.documentElement.dataset.keys = box.checked ? "on" : "off";
    box.form.requestSubmit();
  });
}
