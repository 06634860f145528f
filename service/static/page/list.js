// The list of documents: pages of what matches, as rows that show the beginning of each.

import { visit } from './addresses.js';
import { element } from './elements.js';
import { members, parts } from './json.js';
import { say } from './notices.js';
import { request } from './requests.js';

const PAGE_SIZE = 25;
const PREVIEW = 200; // characters

export class List {
  #filter = null;
  #starts = ['']; // where each page so far begins
  #next = null;
  #rows = new Map(); // by id
  #current = null;

  async load() {
    const query = new URLSearchParams({ limit: PAGE_SIZE });
    if (this.#filter) query.set('filter', this.#filter);
    const start = this.#starts[this.#starts.length - 1];
    if (start) query.set('after', start);
    const page = members(await (await request(`stuff?${query}`)).text());
    const documents = parts(page.get('items'));
    this.#next = JSON.parse(page.get('next'));
    this.#rows.clear();
    element('items').replaceChildren(...documents.map((json) => this.#row(json)));
    element('empty').hidden = documents.length > 0;
    element('previous').disabled = this.#starts.length === 1;
    element('next').disabled = !this.#next;
    element('fresh').hidden = true;
    this.#mark();
  }

  /** Show the documents of a query: the beginning of an id, or a filter. */
  async find(query) {
    if (!query) this.#filter = null;
    else if (query.startsWith('{')) this.#filter = query;
    else this.#filter = JSON.stringify({ _id: { $gte: query, $lt: `${query}\u{10ffff}` } });
    this.#starts = [''];
    say('');
    await this.load();
  }

  async next() {
    this.#starts.push(this.#next);
    await this.load();
  }

  async previous() {
    this.#starts.pop();
    await this.load();
  }

  /** Show which document is open. */
  mark(id) {
    this.#current = id;
    this.#mark();
  }

  #mark() {
    for (const [id, item] of this.#rows) {
      const button = item.firstElementChild;
      if (id === this.#current) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    }
  }

  /** Show that somebody wrote a document, given as text, or deleted it (null). */
  change(id, json) {
    const item = this.#rows.get(id);
    if (item) {
      const fresh = json ? this.#row(json) : item;
      if (json) item.replaceWith(fresh);
      fresh.classList.add(json ? 'changed' : 'deleted');
      this.#mark();
    } else if (json) {
      element('fresh').hidden = false;
    }
  }

  /** The row of a document, which is given as text, so that its numbers are shown as they are. */
  #row(json) {
    const fields = members(json);
    const id = JSON.parse(fields.get('_id'));
    const key = typeof id === 'string' ? id : fields.get('_id');
    fields.delete('_id');
    const item = document.createElement('li');
    const button = document.createElement('button');
    const name = document.createElement('span');
    const preview = document.createElement('span');
    name.className = 'id';
    preview.className = 'preview';
    name.textContent = key;
    const shown = [...fields].map(([field, value]) => `${JSON.stringify(field)}:${value}`);
    preview.textContent = `{${shown.join(',')}}`.slice(0, PREVIEW);
    button.type = 'button';
    button.append(name, preview);
    if (typeof id === 'string') button.addEventListener('click', () => visit(id));
    else button.disabled = true; // other programs' ids have no address
    item.append(button);
    this.#rows.set(key, item);
    return item;
  }

  /** Move the focus to the row of a document, or to the list. */
  focus(id) {
    const button = this.#rows.get(id)?.firstElementChild ?? element('list-title');
    button.focus();
  }

  /** Move the focus one row up or down; whether there is one. */
  step(direction) {
    const buttons = [...element('items').querySelectorAll('button')];
    const position = buttons.indexOf(document.activeElement);
    const target = buttons[position < 0 ? 0 : position + direction];
    target?.focus();
    return target !== undefined;
  }
}
