// The documents of the list as a table: the id, and the main fields of the schema.

import { members } from './json.js';
import { opener, shortened, title } from './rows.js';

const SHOWN = 100; // characters of a field

export class Table {
  #collection;
  #body = document.createElement('tbody');

  constructor(collection) {
    this.#collection = collection;
    this.#body.id = 'items';
    this.container = document.createElement('table');
    this.container.setAttribute('aria-labelledby', 'list-title');
    this.container.createTHead().insertRow().append(
      ...['_id', ...collection.mainFields].map((name) => cell('th', 'col', name)),
    );
    this.container.append(this.#body);
  }

  show(rows) {
    this.#body.replaceChildren(...rows);
  }

  row(json) {
    const row = document.createElement('tr');
    const button = opener(this.#collection, json);
    const head = cell('th', 'row', '');
    head.append(button);
    row.append(head, ...this.#collection.mainFields.map(() => document.createElement('td')));
    row.addEventListener('click', ({ target }) => {
      if (!button.contains(target)) button.click();
    });
    this.fill(row, json);
    return row;
  }

  /** Show a document in its row, which keeps the focus. */
  fill(row, json) {
    const fields = members(json);
    row.querySelector('button').replaceChildren(title(fields));
    this.#collection.mainFields.forEach((name, index) => {
      row.cells[index + 1].textContent = shown(fields.get(name));
    });
  }
}

/** The value of a field, given as JSON: a text without its quotes, nothing if there is none. */
function shown(json = '') {
  return shortened(json.startsWith('"') ? JSON.parse(json) : json, SHOWN);
}

function cell(kind, scope, text) {
  const node = document.createElement(kind);
  node.scope = scope;
  node.textContent = text;
  return node;
}
