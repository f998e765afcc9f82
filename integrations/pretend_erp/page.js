const lists = document.getElementById("latest");
setInterval(async () => {
  if (document.hidden) return;
  const answer = await fetch("/latest").catch(() => null);
  const busy = lists.contains(document.activeElement) && document.activeElement.tagName === "BUTTON";
  if (!answer || !answer.ok || busy) return;
  const open = [...lists.querySelectorAll("details[open]")].map((one) => one.id);
  lists.innerHTML = await answer.text();
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
}, 2000);
