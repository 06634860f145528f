// The page's own address: `#/` and the id of the open document.

const hash = (id) => `#/${encodeURIComponent(id)}`;
const nothing = () => location.pathname + location.search;

/** The id in the address; empty if there is none. */
export function addressed() {
  try {
    return decodeURIComponent(location.hash.slice(2));
  } catch {
    throw new Error('The address of this page is malformed.');
  }
}

/** Open a document, as a step that Back undoes. */
export function visit(id) {
  if (location.hash === hash(id)) window.dispatchEvent(new HashChangeEvent('hashchange'));
  else location.hash = hash(id);
}

/** Let the address name a document that is open already. */
export function rename(id) {
  history.replaceState(null, '', hash(id));
}

/** Let the address name no document. */
export function leaveAddress() {
  if (location.hash) history.pushState(null, '', nothing());
}
