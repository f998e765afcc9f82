// Single keys, for people who know them. They can be turned off in the list of shortcuts, and never act while one types.
const isOn = () => {
  try { return localStorage.getItem("shortcuts") !== "off"; } catch { return true; }
};
const isTyping = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]");

let leader = 0;

document.addEventListener("keydown", (event) => {
  const { key, target } = event;

  if (key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const text = target.closest?.("[data-submit-on='ctrl-enter']");
    if (text) {
      event.preventDefault();
      text.form.requestSubmit();
    }
    return;
  }
  if (key === "Escape" && target.matches?.("[data-search]")) return target.blur();

  if (!isOn() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(target) || document.querySelector("dialog[open]")) return;

  if (Date.now() - leader < 1200) {
    leader = 0;
    const places = document.querySelector("[data-go-to]");
    const address = places?.getAttribute(`data-go-${key.toLowerCase()}`);
    if (address) {
      event.preventDefault();
      location.assign(address);
      return;
    }
  }

  const acts = {
    "/": () => focusOn("[data-search]"),
    "?": () => document.getElementById("shortcuts")?.showModal(),
    g: () => { leader = Date.now(); return true; },
    n: () => focusOn("[data-note]"),
    "[": () => follow("[data-previous]"),
    "]": () => follow("[data-next]"),
  };
  if (Object.hasOwn(acts, key) && acts[key]() !== false) event.preventDefault();
});

function focusOn(selector) {
  const field = document.querySelector(selector);
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
  box.checked = isOn();
  box.addEventListener("change", () => {
    try { localStorage.setItem("shortcuts", box.checked ? "on" : "off"); } catch { /* private window */ }
  });
}
