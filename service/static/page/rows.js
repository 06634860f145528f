// The rows of the list. A document is given as text, so that its numbers are shown as they are.

import { visit } from './addresses.js';
import { members } from './json.js';

const PREVIEW = 200; // characters

/** What tells a row from all others: its id, or the JSON of an id that is not a string, after a
    character that no id has. */
export function keyOf(json) {
  const text = members(json).get('_id');
  return text.startsWith('"') ? JSON.parse(text) : `\0${text}`;
}

export function rowOf(json) {
  const item = document.createElement('li');
  const button = document.createElement('button');
  button.type = 'button';
  const key = keyOf(json);
  if (key.startsWith('\0')) button.disabled = true; // other programs' ids have no address
  else button.addEventListener('click', () => visit(key));
  item.append(button);
  fillRow(item, json);
  return item;
}

/** Show a document in its row, which keeps the focus. */
export function fillRow(item, json) {
  const fields = members(json);
  const id = fields.get('_id');
  fields.delete('_id');
  const shown = [...fields].map(([name, value]) => `${JSON.stringify(name)}:${value}`);
  const preview = `{${shown.join(',')}}`.slice(0, PREVIEW).replace(/[\ud800-\udbff]$/, '');
  const title = id.startsWith('"') ? JSON.parse(id) : id;
  item.firstElementChild.replaceChildren(span('id', title), span('preview', preview));
}

function span(kind, text) {
  const node = document.createElement('span');
  node.className = kind;
  node.textContent = text;
  return node;
}
