"use strict";

// The OpenAPI document for Swagger UI and ReDoc. A server with keys and collections of its own gives
// it to a key only: this page asks for one, and keeps it for as long as the tab shows it.

// Resolves with the document, and the key that was needed for it (null without).
async function loadDocument(place) {
  let key = null;
  for (;;) {
    const headers = key === null ? {} : { Authorization: `Bearer ${key}` };
    const response = await fetch("openapi.json", { headers });
    if (response.ok) return { spec: await response.json(), key };
    if (response.status !== 401) {
      place.textContent = `The server answered ${response.status}. Reload the page to try again.`;
      throw new Error(`openapi.json: ${response.status}`);
    }
    key = await askForKey(place, key !== null);
  }
}

// Resolves with what is typed.
function askForKey(place, isRefused) {
  return new Promise((resolve) => {
    const form = document.createElement("form");
    form.className = "key";
    const label = document.createElement("label");
    label.textContent = isRefused
      ? "The server refused this key. Another API key: "
      : "API key, to read the description of this server: ";
    const input = document.createElement("input");
    input.type = "password";
    input.autocomplete = "off";
    input.required = true;
    const button = document.createElement("button");
    button.textContent = "Show";
    label.append(input);
    form.append(label, " ", button);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      form.remove();
      resolve(input.value.trim());
    });
    place.replaceChildren(form);
    input.focus();
  });
}
