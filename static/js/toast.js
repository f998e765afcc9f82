// Toasts: plain ones go after a while, unless someone is reading them; those with Undo count down to the moment it is too late.
const corner = document.getElementById("toasts");

function leave(toast) {
  const hadFocus = toast.contains(document.activeElement);
  toast.classList.add("is-leaving");
  setTimeout(() => toast.remove(), 130);
  if (hadFocus) document.getElementById("page")?.focus();
}

function start(toast) {
  if (toast.dataset.started === "") return;
  toast.dataset.started = "";
  const counts = "undo" in toast.dataset;
  let left = Number(toast.dataset.undo ?? toast.dataset.toastSeconds);
  if (!left) return;
  const end = Date.now() + left * 1000;
  const word = toast.querySelector("[data-undo-left]");
  const tick = setInterval(() => {
    if (!toast.isConnected) return clearInterval(tick);
    if (counts) left = Math.ceil((end - Date.now()) / 1000);
    else if (!toast.matches(":hover, :focus-within")) left -= 1;
    if (word) word.textContent = Math.max(0, left);
    if (left <= 0) {
      clearInterval(tick);
      leave(toast);
    }
  }, 1000);
}

new MutationObserver(() => corner.querySelectorAll("[data-toast]").forEach(start)).observe(corner, { childList: true });
corner.querySelectorAll("[data-toast]").forEach(start);

corner.addEventListener("click", (event) => {
  const toast = event.target.closest("[data-toast]");
  if (toast && event.target.closest("[data-toast-close]")) leave(toast);
});
// Undone: the toast has said what it had to say.
corner.addEventListener("htmx:afterRequest", (event) => {
  const toast = event.target.closest("[data-toast]");
  if (toast && event.detail.successful) leave(toast);
});
