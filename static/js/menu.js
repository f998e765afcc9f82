// Menus are <details>: Esc, a click elsewhere and a choice close them. Dialogs open and close by attribute.
const openMenus = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("click", (event) => {
  const chosen = event.target.closest(".menu__item");
  for (const menu of openMenus()) {
    const stays = menu.contains(event.target) && !(chosen && menu.contains(chosen) && !chosen.matches("[data-stays], [data-theme-set]"));
    if (!stays) {
      // After this click's own work: a closed form would not be submitted.
      setTimeout(() => { menu.open = false; });
    }
  }

  // A box to type in has the focus with the click: letters typed before the browser says "toggle" would be lost.
  const menu = event.target.closest("details[data-menu]:not([open]) > summary")?.parentElement;
  const box = menu?.querySelector("[autofocus]");
  if (box) {
    event.preventDefault();
    menu.open = true;
    box.focus();
  }

  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  const closer = event.target.closest("[data-closes]");
  if (closer) closer.closest("dialog")?.close();
  if (event.target.matches("dialog.dialog")) {
    const box = event.target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) event.target.close();
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details[data-menu][open]");
  if (event.key === "Escape") {
    for (const open of openMenus()) {
      open.open = false;
      if (open.contains(document.activeElement)) open.querySelector("summary").focus();
    }
  }
  if (menu && (event.key === "ArrowDown" || event.key === "ArrowUp") && !event.target.matches("input, textarea, select")) {
    const items = [...menu.querySelectorAll(".menu__item")];
    const step = event.key === "ArrowDown" ? 1 : -1;
    const at = items.indexOf(document.activeElement);
    items.at(at === -1 ? (step > 0 ? 0 : -1) : (at + step) % items.length)?.focus();
    event.preventDefault();
  }
});

// One menu at a time, and never off the edge of the window.
document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!menu.matches?.("details[data-menu]") || !menu.open) return;
  for (const other of openMenus()) if (other !== menu && !other.contains(menu)) other.open = false;
  const panel = menu.querySelector(".menu__panel");
  if (!panel) return;
  if (panel.getBoundingClientRect().right > innerWidth - 8) panel.classList.add("menu__panel--end");
  if (panel.getBoundingClientRect().bottom > innerHeight - 8 && menu.getBoundingClientRect().top > panel.offsetHeight) panel.classList.add("menu__panel--up");
  menu.querySelector("[autofocus]")?.focus();
}, true);
