// The desk's few lines: "/" goes to the search box; a page that shows work under way renews that part of itself.
"use strict";

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const box = document.querySelector("[data-poller-search]") || document.querySelector(".poller-search input");
  if (!box || document.getElementById("searchbar")) return; // a list has its own box, and the theme's key for it
  event.preventDefault();
  box.focus();
  box.select();
});

async function renew(part) {
  try {
    const answer = await fetch(part.dataset.pollerRenew, { headers: { "X-Desk-Part": "1" } });
    if (!answer.ok) return again(part);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
    if (!fresh) return;
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.replaceWith(fresh);
    if (focused) document.getElementById(focused)?.focus();
    again(fresh);
  } catch {
    again(part); // the network is away for a moment
  }
}

function again(part) {
  if (part.dataset.pollerRenew) setTimeout(renew, 1500, part);
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-poller-renew]").forEach(again));

// What is typed is tested before it is saved: the answer is a part that renews itself until the test has ended.
async function test(address, body, place, button) {
  const panel = place.closest(".poller-panel");
  button.disabled = true;
  panel.classList.remove("poller-broken");
  try {
    const answer = await fetch(address, { method: "POST", body });
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
    place.replaceChildren(fresh);
    again(fresh);
  } catch {
    panel.classList.add("poller-broken");
  }
  button.disabled = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-poller-try]");
  if (!button) return;
  const place = document.getElementById(button.dataset.pollerInto);
  test(button.dataset.pollerTry, new FormData(button.form), place, button);
});

// A webhook secret that no library can verify with is told of while it is typed; the form asks for a tick.
const STANDARD = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/;

function isStandard(secret) {
  const base64 = STANDARD.exec(secret)?.[1] ?? "";
  const bytes = (base64.replaceAll("=", "").length * 3) >> 2;
  return bytes >= 24 && bytes <= 64;
}

document.addEventListener("input", (event) => {
  const box = event.target.closest("[data-poller-secret]");
  if (!box) return;
  let warning = document.getElementById(`${box.id}_warning`);
  if (!warning) {
    warning = Object.assign(document.createElement("p"), { id: `${box.id}_warning`, className: "poller-bad poller-small" });
    warning.setAttribute("role", "status");
    box.after(warning);
  }
  warning.textContent = box.value === "" || isStandard(box.value.trim()) ? "" : box.dataset.pollerSecret;
});
