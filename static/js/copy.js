// <button data-copy="id of an input"> copies what the input holds. Without a clipboard the text is selected instead.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  const field = button && document.getElementById(button.dataset.copy);
  if (!field) return;
  field.select();
  let copied = false;
  try {
    await navigator.clipboard.writeText(field.value);
    copied = true;
  } catch {
    copied = document.execCommand("copy"); // an address without https has no clipboard of the newer kind
  }
  const words = copied ? "Copied" : "Press Ctrl C";
  const before = button.dataset.words ??= button.textContent;
  button.textContent = words;
  document.getElementById("announcer").textContent = words;
  setTimeout(() => { button.textContent = before; }, 2000);
});
