// <button data-copy="id of an input"> copies what the input holds. Without a clipboard the text is selected instead.
import { announce, words } from "./announce.js";

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
  const said = copied ? words.copied : words.notCopied;
  const before = button.dataset.words ??= button.textContent;
  button.textContent = said;
  announce(said);
  setTimeout(() => { button.textContent = before; }, 2000);
});
