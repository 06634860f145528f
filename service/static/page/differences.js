// How two JSON values differ, place by place. Values are trees as json.js parses them, so that 1 and
// 1.0 differ, and integers beyond 2^53 are compared exactly.

/** A list of `{pointer, theirs, mine}`: a JSON Pointer (RFC 6901) and the values there, undefined
    where there is none; or `{pointer, order: true}` if only the order of the members differs. */
export function differences(theirs, mine) {
  const found = [];
  compare(theirs, mine, '', found);
  return found;
}

function compare(theirs, mine, pointer, found) {
  if (theirs instanceof Map && mine instanceof Map) {
    compareObjects(theirs, mine, pointer, found);
  } else if (Array.isArray(theirs) && Array.isArray(mine)) {
    compareArrays(theirs, mine, pointer, found);
  } else if (!equal(theirs, mine)) {
    found.push({ pointer, theirs, mine });
  }
}

function compareObjects(theirs, mine, pointer, found) {
  const before = found.length;
  const place = (name) => `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  for (const [name, value] of theirs) compare(value, mine.get(name), place(name), found);
  for (const [name, value] of mine) {
    if (!theirs.has(name)) found.push({ pointer: place(name), theirs: undefined, mine: value });
  }
  if (found.length === before && !sameOrder(theirs, mine)) found.push({ pointer, order: true });
}

/** What is equal at both ends has only moved; the elements between are compared in pairs. */
function compareArrays(theirs, mine, pointer, found) {
  const shorter = Math.min(theirs.length, mine.length);
  let start = 0;
  while (start < shorter && equal(theirs[start], mine[start])) start += 1;
  let end = 0;
  while (end < shorter - start && equal(theirs.at(-1 - end), mine.at(-1 - end))) end += 1;
  const length = Math.max(theirs.length, mine.length) - end;
  for (let i = start; i < length; i += 1) {
    const left = i < theirs.length - end ? theirs[i] : undefined;
    const right = i < mine.length - end ? mine[i] : undefined;
    compare(left, right, `${pointer}/${i}`, found);
  }
}

function sameOrder(theirs, mine) {
  const names = mine.keys();
  for (const name of theirs.keys()) {
    if (name !== names.next().value) return false;
  }
  return true;
}

function equal(a, b) {
  if (a === b) return true;
  if (typeof a === 'string' && typeof b === 'string') return equalScalars(a, b);
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => equal(value, b[index]));
  }
  if (!(a instanceof Map && b instanceof Map) || a.size !== b.size || !sameOrder(a, b)) return false;
  for (const [name, value] of a) {
    if (!equal(value, b.get(name))) return false;
  }
  return true;
}

const isFloat = (text) => /^-?\d.*[.eE]/.test(text);

/** The same string or the same float may be written in several ways. */
function equalScalars(a, b) {
  if (a.startsWith('"') && b.startsWith('"')) return JSON.parse(a) === JSON.parse(b);
  return isFloat(a) && isFloat(b) && Object.is(Number(a), Number(b));
}
