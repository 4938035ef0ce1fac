// Sign in with a passkey, or add one. Without this, members sign in with an emailed link.
const form = document.querySelector("[data-passkey]");
const Keys = window.PublicKeyCredential;

const ask = (options) => options.user
  ? navigator.credentials.create({ publicKey: Keys.parseCreationOptionsFromJSON(options) })
  : navigator.credentials.get({ publicKey: Keys.parseRequestOptionsFromJSON(options) });

async function send(event) {
  event.preventDefault();
  const status = form.querySelector("[role=status]");
  const body = new URLSearchParams({ csrf_token: form.elements.csrf_token.value });
  status.textContent = "";
  try {
    const answer = await fetch(form.dataset.passkey, { method: "POST", body });
    if (!answer.ok) throw new Error(answer.status);
    const credential = await ask(await answer.json());
    form.elements.credential.value = JSON.stringify(credential.toJSON());
    form.submit();
  } catch (fault) {
    status.textContent = fault.name === "InvalidStateError"
      ? "This device already has a passkey for the desk."
      : "Your browser didn’t use a passkey. Try again.";
  }
}

if (form && Keys?.parseCreationOptionsFromJSON) {
  form.hidden = false;
  for (const one of document.querySelectorAll("[data-no-passkey]")) one.hidden = true;
  form.addEventListener("submit", send);
}
