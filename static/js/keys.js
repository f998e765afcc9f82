// When a single key may act: never while somebody types, composes a character or answers a dialog, nor if they want none.
const WRITES = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable=true]";

export const areOn = () => document.documentElement.dataset.keys !== "off";

export function isFree(event) {
  return areOn() && !event.defaultPrevented && !event.isComposing && event.key !== "Process"
    && !event.ctrlKey && !event.metaKey && !event.altKey
    && !event.target.closest?.(WRITES) && !document.querySelector("dialog[open]");
}
