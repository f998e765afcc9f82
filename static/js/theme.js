// The person's choice of theme, before the first paint. Their account knows it; this browser remembers it for the pages
// before they sign in. Without one the system decides.
(() => {
  const root = document.documentElement;
  const read = () => {
    try { return localStorage.getItem("theme") || ""; } catch { return ""; }
  };
  const keep = (choice) => {
    try { localStorage.setItem("theme", choice); } catch { /* private window: the account still knows */ }
  };

  const show = (choice) => {
    if (choice) root.dataset.theme = choice;
    else delete root.dataset.theme;
    for (const button of document.querySelectorAll("[data-theme-set]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeSet === choice));
    }
  };

  let now = root.dataset.themeKept ?? read();
  keep(now);
  show(now);
  document.addEventListener("DOMContentLoaded", () => show(now));
  addEventListener("storage", (event) => event.key === "theme" && show(now = event.newValue || ""));

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-set]");
    if (!button) return;
    keep(now = button.dataset.themeSet);
    show(now);
  });
})();
