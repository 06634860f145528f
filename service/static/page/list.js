// The list of documents: what a query selects, page by page.

import { element } from './elements.js';
import { beginningWith } from './ids.js';
import { PAGE_SIZE, ask, count } from './pages.js';
import { Lines, keyOf } from './rows.js';
import { Staleness } from './staleness.js';
import { Table } from './table.js';

const number = new Intl.NumberFormat('en');
const START = { after: '', first: 1 };

export class List {
  #collection = null;
  #view = null; // lines or a table
  /** A `filter` in JSON, empty for all documents, and what to `sort` by, as the API takes them. */
  #query = { filter: '', sort: '' };
  /** The pages up to the one that is shown: the cursor that each starts `after`, and the number of
      its `first` document. */
  #pages = [START];
  #next = null; // the cursor of the next page
  #total = null; // documents that the query selects; null if that is not known
  #rows = new Map(); // by their keys
  #current = null; // the document that is open
  #loading = null; // an AbortController
  #staleness = new Staleness((written) => this.#look(written));

  // --- Pages

  /** Show documents of this collection, which are yet to be loaded. */
  enter(collection) {
    if (collection.name !== this.#collection?.name) {
      element('search').reset();
      this.#query = { filter: '', sort: '' };
      this.#pages = [START];
    }
    this.#collection = collection;
    this.#view = collection.mainFields.length > 0 ? new Table(collection) : new Lines(collection);
    element('found').replaceChildren(this.#view.container);
    this.clear();
  }

  /** Load it. False if another one was asked for meanwhile. */
  async load() {
    return this.#show(this.#query, this.#pages);
  }

  /** Show the documents that match: the beginning of an id, or a filter. */
  async find(text, sort) {
    const isFilter = !text || text.startsWith('{');
    const filter = isFilter ? text : JSON.stringify(beginningWith(text, this.#collection.idType));
    await this.#show({ filter, sort }, [START]);
  }

  /** Show nothing. */
  clear() {
    this.#loading?.abort();
    if (!this.#view) return;
    this.#total = null;
    this.#fill({ documents: [], next: null });
    element('empty').hidden = true;
  }

  /** Load it, because somebody wants to see what is new. */
  async refresh() {
    await this.load();
    element('list-title').focus();
  }

  async next() {
    const first = this.#pages.at(-1).first + this.#rows.size;
    await this.#turn([...this.#pages, { after: this.#next, first }]);
  }

  async previous() {
    await this.#turn(this.#pages.slice(0, -1));
  }

  async #turn(pages) {
    if (!await this.#show(this.#query, pages)) return;
    element('list-title').focus({ preventScroll: true });
    element('list').scrollIntoView();
  }

  /** Load a page. What is shown stays until then, or if that fails. Whether it was loaded: another
      one may have been asked for meanwhile. */
  async #show(query, pages) {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    element('list').setAttribute('aria-busy', 'true');
    try {
      const { signal } = loading;
      const page = await ask(this.#collection, query, pages.at(-1).after, { signal });
      if (query.filter !== this.#query.filter) this.#total = null;
      this.#query = query;
      this.#pages = pages;
      this.#fill(page);
    } catch (error) {
      if (loading.signal.aborted) return false;
      throw error;
    } finally {
      if (this.#loading === loading) {
        this.#loading = null;
        element('list').removeAttribute('aria-busy');
      }
    }
    this.#count();
    return true;
  }

  #fill({ documents, next }) {
    this.#next = next;
    this.#staleness.forget();
    const focused = [...this.#rows].find(([, item]) => item.contains(document.activeElement));
    this.#rows = new Map(documents.map((json) => [keyOf(json), this.#view.row(json)]));
    this.#view.show(this.#rows.values());
    element('empty').textContent = this.#query.filter ? 'No document matches.' : 'Nothing here.';
    element('empty').hidden = this.#rows.size > 0;
    element('fresh').hidden = true;
    if (focused) this.focus(focused[0]);
    this.#mark();
    this.#showPlace();
  }

  /** Counting may take long where loading a page does not, and nobody waits for it. */
  async #count() {
    const query = this.#query;
    let total = null;
    try {
      total = await count(this.#collection, query);
    } catch {
      // The number is not shown.
    }
    if (this.#query !== query) return;
    this.#total = total;
    this.#showPlace();
  }

  #showPlace() {
    const { first } = this.#pages.at(-1);
    const last = first + this.#rows.size - 1;
    const total = this.#total === null ? '' : ` of ${number.format(this.#total)}`;
    const range = `${number.format(first)} to ${number.format(last)}${total}`;
    element('place').textContent = this.#rows.size > 0 ? range : '';
    element('previous').disabled = this.#pages.length === 1;
    element('next').disabled = !this.#next;
  }

  // --- Changes by others

  /** Show that somebody wrote a document, given as text, or deleted it (null). */
  change(id, json) {
    const item = this.#rows.get(id);
    if (item) {
      item.className = '';
      if (json) this.#view.fill(item, json);
      item.getBoundingClientRect(); // so that it is animated again
      item.className = json ? 'changed' : 'deleted';
    }
    if (!item || !json) this.#staleness.note(id);
  }

  /** Changes may have been missed. */
  suspect() {
    element('fresh').textContent = 'There may be changes: show them';
    element('fresh').hidden = false;
  }

  /** Only what would be on this page is new to it: others match another filter, or follow later. */
  async #look(written) {
    const pages = this.#pages;
    const limit = this.#next ? this.#rows.size : PAGE_SIZE; // a page of large documents is short
    const query = { ...this.#query, fields: '_id', limit };
    const { documents, next } = await ask(this.#collection, query, pages.at(-1).after);
    if (this.#pages !== pages || this.#loading) return;
    this.#next ??= next;
    if (documents.map(keyOf).some((key) => written.has(key) && !this.#rows.has(key))) {
      element('fresh').textContent = 'There are new documents: show them';
      element('fresh').hidden = false;
    }
    await this.#count();
  }

  // --- Rows

  /** Show which document is open. */
  mark(id) {
    this.#current = id;
    this.#mark();
  }

  #mark() {
    for (const [id, item] of this.#rows) {
      const button = item.querySelector('button');
      if (id === this.#current) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    }
  }

  /** Move the focus to the row of a document, or to the list. */
  focus(id) {
    const button = this.#rows.get(id)?.querySelector('button') ?? element('list-title');
    button.focus();
  }

  /** Move the focus one row up or down, if it is in the list or nowhere; whether it moved. */
  step(direction) {
    const { activeElement } = document;
    if (activeElement !== document.body && !element('list').contains(activeElement)) return false;
    const buttons = [...element('found').querySelectorAll('button:enabled')];
    const position = buttons.indexOf(activeElement);
    const target = buttons[position < 0 ? 0 : position + direction];
    target?.focus();
    return target !== undefined;
  }
}
