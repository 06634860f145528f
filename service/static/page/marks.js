// Marks lines of the text in the editor, by an element behind it that has the same text.

import { element } from './elements.js';
import { lineOf } from './places.js';

const text = element('text');
const behind = element('marks');

const follow = () => {
  behind.scrollTop = text.scrollTop;
};
text.addEventListener('scroll', follow);

/** Mark these places of the text (`start` and `end` of each), and their lines. */
export function mark(places) {
  const { value } = text;
  const nodes = [];
  let end = 0;
  for (const [start, line] of linesOf(value, places)) {
    nodes.push(value.slice(end, start), marked(value, line));
    end = line.end;
  }
  behind.replaceChildren(...nodes, `${value.slice(end)}\n`);
  follow();
}

export const unmark = () => behind.replaceChildren();

/** Scroll to the mark of what starts here, unless it can be seen. */
export function reveal(start) {
  const node = [...behind.querySelectorAll('u')].find(({ dataset }) => dataset.start === `${start}`);
  if (!node) return;
  const { scrollTop, clientHeight } = text;
  const isSeen = node.offsetTop >= scrollTop && node.offsetTop < scrollTop + clientHeight;
  if (!isSeen) text.scrollTop = node.offsetTop - clientHeight / 3;
}

/** The lines by their starts, in their order, with the places in each. */
function linesOf(value, places) {
  const lines = new Map();
  for (const place of [...places].sort((a, b) => a.start - b.start)) {
    const line = lineOf(value, place);
    const { end, inside } = lines.get(line.start) ?? { end: line.end, inside: [] };
    if (inside.at(-1)?.start !== place.start) inside.push(place);
    lines.set(line.start, { start: line.start, end, inside });
  }
  return lines;
}

function marked(value, line) {
  const node = document.createElement('mark');
  let end = line.start;
  for (const place of line.inside) {
    const underlined = document.createElement('u');
    underlined.dataset.start = place.start;
    underlined.textContent = value.slice(place.start, place.end);
    node.append(value.slice(end, place.start), underlined);
    end = place.end;
  }
  node.append(value.slice(end, line.end));
  return node;
}
