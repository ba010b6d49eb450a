// The form of portal/layout/keys.tsx: asks for a key, and sends its answer.
const web = SimpleWebAuthnBrowser;
const form = document.querySelector("[data-key]");
const said = document.getElementById("key-said");
const { key, from, options, autofill } = form.dataset;
let turn = 0;

function tell(name, words = said.dataset[name.toLowerCase()] ?? said.dataset.other) {
  said.textContent = words;
  said.hidden = false;
}

async function request() {
  if (options) return { options: JSON.parse(options) };
  const answer = await fetch(from, { method: "POST" });
  const body = await answer.json();
  if (answer.ok) return body;
  throw { words: `${body.title}. ${body.detail}` };
}

async function ask(useBrowserAutofill) {
  const mine = ++turn;
  const isLast = () => mine === turn;
  let since;
  try {
    const { id, options: optionsJSON } = await request();
    if (!isLast()) return;
    since = Date.now();
    if (useBrowserAutofill) setTimeout(() => isLast() && ask(true), optionsJSON.timeout * 0.9);
    const credential = await web[key]({ optionsJSON, useBrowserAutofill });
    form.elements.credential.value = JSON.stringify(credential);
    if (id) form.elements.request.value = id;
    form.submit();
  } catch ({ name, words }) {
    // A browser that refuses at once would refuse for ever.
    if (!isLast() || (useBrowserAutofill && !(Date.now() - since > 999))) return;
    tell(name, words);
    arm();
  }
}

async function arm() {
  if (autofill && (await web.browserSupportsWebAuthnAutofill())) ask(true);
}

document.querySelector("[data-scriptless]").remove();
if (web.browserSupportsWebAuthn()) {
  form.hidden = false;
  form.querySelector("[autofocus]")?.focus();
  form.onsubmit = () => {
    said.hidden = true;
    ask();
    return false;
  };
  arm();
} else if (!autofill) tell("unsupported");
