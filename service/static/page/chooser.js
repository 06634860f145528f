// The chooser of collections, for servers that have more than `stuff`.

import { HOME } from './addresses.js';
import { element } from './elements.js';

const select = element('collection');

/** Offer these collections. The one that is shown has this name; null if none is. */
export function offer(collections, shown) {
  const names = collections.map(({ name }) => name);
  select.replaceChildren(...names.map((name) => new Option(name)));
  select.value = shown;
  element('chooser').hidden = names.every((name) => name === HOME);
  document.title = shown === null || shown === HOME ? 'Stuff' : `${shown} - Stuff`;
}

export const onChoose = (work) => select.addEventListener('change', () => work(select.value));
