// Where in the text of a JSON document a JSON Pointer (RFC 6901) leads.

import { TOKEN } from './json.js';

/** The place of the value that the pointer names, or else of the nearest object or array above it
    that is in the text: where a scalar starts and ends, or the bracket that opens the rest. What
    comes after it need not be JSON. */
export function placeOf(text, pointer) {
  const path = pointer.split('/').slice(1).map(unescaped);
  const open = []; // the objects and arrays around the token
  let found = { start: 0, end: 0 };
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const inside = open.at(-1);
    if (token === '}' || token === ']') {
      if (!inside || inside.isOnPath) break; // the rest of the path is not in the text
      open.pop();
    } else if (token === ',') {
      if (inside) Object.assign(inside, { position: inside.position + 1, name: null });
    } else if (inside?.isObject && inside.name === null) {
      inside.name = nameIn(token);
    } else if (token !== ':') {
      const isOnPath = !inside || (inside.isOnPath && stepOf(inside) === path[open.length - 1]);
      if (isOnPath) found = { start: index, end: index + token.length };
      if (isOnPath && open.length === path.length) break;
      if (token === '{' || token === '[') {
        open.push({ isObject: token === '{', isOnPath, position: 0, name: null });
      }
    }
  }
  return found;
}

const stepOf = ({ isObject, name, position }) => (isObject ? name : String(position));
const unescaped = (step) => step.replaceAll('~1', '/').replaceAll('~0', '~');

/** The name of a member; none if this is not one. */
function nameIn(token) {
  try {
    return JSON.parse(token);
  } catch {
    return undefined;
  }
}

/** The number of the line in which something is, counted from 1, and where it starts and ends. */
export function lineOf(text, { start }) {
  const end = text.indexOf('\n', start);
  return {
    number: text.slice(0, start).split('\n').length,
    start: text.lastIndexOf('\n', start - 1) + 1,
    end: end < 0 ? text.length : end,
  };
}
