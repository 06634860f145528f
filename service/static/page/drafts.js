// Edits that are not saved, of each document. They are kept until they are saved or discarded, or
// the tab is closed.

import { element } from './elements.js';
import { forget, recall, recalled, remember } from './storage.js';

const KIND = 'draft ';

/** What is remembered is named `books/ada`. */
const keyOf = ({ collection, id }) => `${collection.name}/${id}`;
const parsed = (key) => key.match(/^([^/]*)\/(.*)$/s).slice(1);

export class Drafts {
  /** By the collection and the id of the document, which is empty for a new one: its `text`, the
      `etag` that it was made from (null if the document is yet to be created), the `id` that
      somebody gave it, and the one that was `made` for it. */
  #drafts = new Map();
  #open;
  #collection = null;
  #current = null;

  /** `open(name, id)` opens the document of a draft, in the collection of this name. */
  constructor(open) {
    this.#open = open;
    for (const key of recalled(KIND)) this.#drafts.set(key, JSON.parse(recall(KIND + key)));
  }

  /** The drafts of this collection need not name it. */
  enter(collection) {
    this.#collection = collection;
    this.#show();
  }

  get size() {
    return this.#drafts.size;
  }

  /** The draft of a document: an object with its `collection` and its `id`. */
  get(place) {
    return this.#drafts.get(keyOf(place));
  }

  keep(place, draft) {
    this.#drafts.set(keyOf(place), draft);
    remember(KIND + keyOf(place), JSON.stringify(draft));
    this.#show();
  }

  drop(place) {
    this.#drafts.delete(keyOf(place));
    forget(KIND + keyOf(place));
    this.#show();
  }

  /** The document that is in the editor: null if none is. */
  mark(place) {
    this.#current = place && keyOf(place);
    this.#show();
  }

  #show() {
    const others = [...this.#drafts.keys()].filter((key) => key !== this.#current).sort();
    element('drafts').hidden = others.length === 0;
    element('draft-ids').replaceChildren(...others.map((key) => this.#item(...parsed(key))));
  }

  #item(name, id) {
    const item = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    const place = name === this.#collection?.name ? '' : `${name}: `;
    button.textContent = place + (id || 'New document');
    button.addEventListener('click', () => this.#open(name, id));
    item.append(button);
    return item;
  }
}
