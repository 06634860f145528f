// What the server found wrong with the text in the editor: marked at its place, and listed below.

import { element } from './elements.js';
import { mark, reveal, unmark } from './marks.js';
import { lineOf, placeOf } from './places.js';
import { placed } from './requests.js';

const MAX = 200_000; // characters of a text whose marks follow what is typed

const text = element('text');
const list = element('faults');

let faults = []; // each a `detail`, and the `pointer` to its place

/** Show these faults, and move the focus to the first. What to say about it. */
export function showFaults(found) {
  const startOf = ({ pointer }) => placeOf(text.value, pointer).start;
  faults = [...found].sort((a, b) => startOf(a) - startOf(b));
  text.setAttribute('aria-invalid', 'true');
  list.hidden = false;
  list.replaceChildren(...faults.map(item));
  draw();
  const first = list.querySelector('button');
  const isTouched = matchMedia('(pointer: coarse)').matches; // no keyboard over what is to be read
  if (isTouched) first.focus();
  else first.click();
  const more = faults.length > 1 ? ` (1 of ${faults.length} faults)` : '';
  return first.textContent + more;
}

export function hideFaults() {
  faults = [];
  text.removeAttribute('aria-invalid');
  list.hidden = true;
  list.replaceChildren();
  unmark();
}

/** Let what is shown fit the text. */
function draw() {
  const places = faults.map(({ pointer }) => placeOf(text.value, pointer));
  if (text.value.length <= MAX) mark(places);
  list.querySelectorAll('button').forEach((button, index) => {
    const { number } = lineOf(text.value, places[index]);
    button.textContent = `Line ${number}: ${placed(faults[index])}`;
  });
}

text.addEventListener('input', () => {
  if (text.value.length > MAX) unmark();
  else if (faults.length > 0) draw();
});

function item({ pointer }) {
  const node = document.createElement('li');
  const button = document.createElement('button');
  button.type = 'button';
  button.addEventListener('click', () => {
    const { start, end } = placeOf(text.value, pointer);
    text.focus();
    text.setSelectionRange(start, end);
    reveal(start);
  });
  node.append(button);
  return node;
}
