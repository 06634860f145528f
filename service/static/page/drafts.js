// Edits that are not saved, of each document. They are kept until they are saved or discarded, or
// the tab is closed.

import { element } from './elements.js';
import { forget, recall, recalled, remember } from './storage.js';

const KIND = 'draft ';

export class Drafts {
  /** By the id of the document, which is empty for a new one: its `text`, the `etag` that it was
      made from (null if the document is yet to be created), the `id` that somebody gave it, and the
      one that was `made` for it. */
  #drafts = new Map();
  #open;
  #current = null;

  /** `open(id)` opens the document of a draft. */
  constructor(open) {
    this.#open = open;
    for (const id of recalled(KIND)) this.#drafts.set(id, JSON.parse(recall(KIND + id)));
    this.#show();
  }

  get size() {
    return this.#drafts.size;
  }

  get(id) {
    return this.#drafts.get(id);
  }

  keep(id, draft) {
    this.#drafts.set(id, draft);
    remember(KIND + id, JSON.stringify(draft));
    this.#show();
  }

  drop(id) {
    this.#drafts.delete(id);
    forget(KIND + id);
    this.#show();
  }

  /** The document that is in the editor: null if none is. */
  mark(id) {
    this.#current = id;
    this.#show();
  }

  #show() {
    const others = [...this.#drafts.keys()].filter((id) => id !== this.#current).sort();
    element('drafts').hidden = others.length === 0;
    element('draft-ids').replaceChildren(...others.map((id) => {
      const item = document.createElement('li');
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = id || 'New document';
      button.addEventListener('click', () => this.#open(id));
      item.append(button);
      return item;
    }));
  }
}
