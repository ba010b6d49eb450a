// Improves the pages. Everything also works without a script.

/** Disables a button until its wait is over, and counts down on it. Removes the note beside it. */
function countDown(button) {
  const label = button.textContent;
  for (const note of button.form.querySelectorAll("[data-wait-note]")) note.remove();
  const end = performance.now() + Number(button.dataset.wait) * 1000;
  const show = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${label} (in ${left} s)` : label;
    if (left > 0) setTimeout(show, 250);
  };
  show();
}

/** Loads the page again every few seconds while more is to come, and shows what is new. */
async function follow(region) {
  region.dataset.shown ??= region.textContent;
  const seconds = Number(region.dataset.follow);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const answer = await fetch(location.href).catch(() => undefined);
  if (answer?.status < 500 && !answer.ok) return location.reload();
  if (!answer?.ok) return follow(region);
  // The page redirects now, so go along.
  if (answer.redirected) return location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const news = page.getElementById(region.id);
  if (!news) return;
  // Keep the element, so that screen readers announce the change.
  const text = news.textContent;
  if (text !== region.dataset.shown) {
    region.dataset.shown = text;
    region.className = news.className;
    region.replaceChildren(...news.childNodes);
    localize(region);
    // Shows the buttons that the new state allows.
    const offers = page.getElementById("offers");
    if (offers) document.getElementById("offers")?.replaceWith(offers);
    for (const button of offers?.querySelectorAll("[data-wait]") ?? []) countDown(button);
  }
  region.dataset.follow = news.dataset.follow ?? "";
  if (news.dataset.follow) return follow(region);
}

/** Shows times in the reader's own time zone. */
function localize(part) {
  for (const time of part.querySelectorAll("time[data-local]")) {
    const date = new Date(time.dateTime);
    time.textContent = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const lines = [...source.children].map((child) => child.textContent);
  const told = document.getElementById("told");
  try {
    await navigator.clipboard.writeText(lines.length ? lines.join("\n") : source.textContent);
    told.textContent = "Copied.";
  } catch {
    told.textContent = "The browser did not allow copying. Select the text and copy it.";
  }
}

const each = (selector, act) => {
  for (const element of document.querySelectorAll(selector)) act(element);
};

each("[data-wait]", countDown);
each("[data-follow]", follow);
each("[data-copy]", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
});
each("[data-print]", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => print());
});
each("[data-accepted]", ({ dataset }) => {
  // So that the browser no longer offers passkeys that were removed.
  const accepted = JSON.parse(dataset.accepted);
  globalThis.PublicKeyCredential?.signalAllAcceptedCredentials?.(accepted).catch(() => {});
});
localize(document);
