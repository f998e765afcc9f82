// The command palette: Ctrl or ⌘ K. The focus stays in its box; the arrows move aria-activedescendant through the list.
const palette = document.getElementById("palette");
const box = document.getElementById("palette-q");

if (palette) {
  const options = () => [...palette.querySelectorAll("[role=option]")];
  const chosen = () => palette.querySelector("[aria-selected=true]");
  const said = document.getElementById("palette-said");

  let asked = null; // the words of the last request, and those that the list answers
  let answered = null;
  let waiting = null; // Enter came before its answer: with Ctrl or without

  const choose = (option) => {
    chosen()?.setAttribute("aria-selected", "false");
    if (!option) return box.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    box.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };

  const open = () => {
    if (palette.open) return palette.close();
    // One dialog at a time, and none over a question that waits for its answer.
    if (document.querySelector("dialog[open]:not(#shortcuts)")) return;
    document.getElementById("shortcuts")?.close();
    box.value = "";
    palette.showModal();
    box.focus();
    htmx.trigger(box.form, "opened");
  };

  const run = (option, elsewhere) => {
    const { href, clicks, focuses } = option.dataset;
    if (href && elsewhere) return window.open(href, "_blank", "noopener");
    palette.close();
    if (href) return location.assign(href);
    document.querySelector(clicks)?.click();
    if (!focuses) return;
    // On a phone it may stand in the pane that is not shown.
    if (!document.getElementById("compose")?.getClientRects().length) document.querySelector('[data-pane-tab][href$="#history"]')?.click();
    document.querySelector(focuses)?.focus();
  };

  addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.isComposing) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette]")) return open();
    const option = event.target.closest("#palette [role=option]");
    if (option) return run(option, event.ctrlKey || event.metaKey);
    // The dialog itself is hit only outside its content: on the backdrop.
    if (event.target === palette) palette.close();
  });
  palette.addEventListener("mousemove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== chosen()) choose(option);
  });

  box.form.addEventListener("submit", (event) => event.preventDefault());
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const all = options();
    const at = all.indexOf(chosen());
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 };
    if (event.key in steps && all.length) {
      event.preventDefault();
      const to = at + steps[event.key];
      if (Math.abs(steps[event.key]) === 1) choose(all[(to + all.length) % all.length]);
      else choose(all[Math.min(Math.max(to, 0), all.length - 1)]);
    }
    if (event.key === "Enter") {
      event.preventDefault();
      const elsewhere = event.ctrlKey || event.metaKey;
      // What is shown belongs to fewer letters than were typed: acting on it would surprise.
      if (answered !== box.value) waiting = { elsewhere };
      else if (chosen()) run(chosen(), elsewhere);
    }
  });
  box.addEventListener("input", () => { waiting = null; });
  palette.addEventListener("close", () => { waiting = null; });
  palette.addEventListener("htmx:configRequest", (event) => { asked = event.detail.parameters.q ?? ""; });

  palette.addEventListener("htmx:afterSwap", () => {
    box.setAttribute("aria-expanded", String(options().length > 0));
    choose(options()[0]);
    said.textContent = palette.querySelector("[data-said]")?.dataset.said ?? "";
    answered = asked;
    if (waiting && answered === box.value && chosen()) run(chosen(), waiting.elsewhere);
    if (answered === box.value) waiting = null;
  });
  for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    palette.addEventListener(failure, (event) => {
      event.stopPropagation(); // a toast would lie under the dialog
      const words = document.getElementById("palette-trouble").textContent;
      document.getElementById("palette-results").textContent = said.textContent = words;
      box.setAttribute("aria-expanded", "false");
      choose(null);
    });
  }

  if (/Mac|iPhone|iPad/.test(navigator.platform)) {
    for (const key of document.querySelectorAll("[data-ctrl]")) key.textContent = "⌘";
  }
}
