// The search box of the top bar says what the list was searched for, also after a condition was removed or on Back.
document.addEventListener("htmx:afterSettle", (event) => {
  const list = document.getElementById("list");
  const box = document.getElementById("search");
  if (!list || !box || event.target.id !== "list" || document.activeElement === box) return;
  box.value = list.dataset.q;
});
