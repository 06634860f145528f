// The page's own address: `#books/ada` is a document of the collection `books`, and `#books/` none of
// them. `#/ada` is one of `stuff`, which every server has.

export const HOME = 'stuff';

const hash = (name, id) => `#${name === HOME ? '' : name}/${encodeURIComponent(id)}`;
const nothing = () => location.pathname + location.search;
const parsed = () => location.hash.match(/^#?([^/]*)\/?(.*)$/s);

/** The name of the collection in the address. */
export const addressedCollection = () => parsed()[1] || HOME;

/** The id in the address; empty if there is none. */
export function addressed() {
  try {
    return decodeURIComponent(parsed()[2]);
  } catch {
    throw new Error('The address of this page is malformed.');
  }
}

/** Let the address name a collection, unless it names one already. */
export function begin(name) {
  if (!location.hash && name !== HOME) history.replaceState(null, '', hash(name, ''));
}

/** Name a collection, as a step that Back undoes. Nothing tells the page of it. */
export function choose(name) {
  history.pushState(null, '', name === HOME ? nothing() : hash(name, ''));
}

/** Open a document, as a step that Back undoes. */
export function visit(name, id) {
  if (location.hash === hash(name, id)) window.dispatchEvent(new HashChangeEvent('hashchange'));
  else location.hash = hash(name, id);
}

/** Let the address name a document that is open already. */
export function rename(name, id) {
  history.replaceState(null, '', hash(name, id));
}

/** Let the address name no document. */
export function leaveAddress(name) {
  if (location.hash && location.hash !== hash(name, '')) choose(name);
}
