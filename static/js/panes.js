// The contact page on a phone shows one of its three columns; the tabs choose which.
function show(tab) {
  const name = tab.hash.slice(1);
  const columns = document.querySelector(".columns[data-pane]");
  if (!columns || !document.getElementById(name)) return;
  columns.dataset.pane = name;
  for (const other of tab.parentNode.querySelectorAll("[data-pane-tab]")) {
    if (other === tab) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
  }
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest("[data-pane-tab]");
  if (!tab) return;
  event.preventDefault();
  show(tab);
  history.replaceState(history.state, "", tab.hash);
});

const asked = [...document.querySelectorAll('[data-pane-tab]')].find((tab) => location.hash && tab.hash === location.hash);
if (asked) show(asked);
