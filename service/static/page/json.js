// JSON as text: numbers that JavaScript cannot hold (integers beyond 2^53, 1.0) must come through
// unchanged, so nothing here goes through JSON.parse and back.

const STRING = String.raw`"[^"\\]*(?:\\.[^"\\]*)*"`;
/** A string, a bracket, a comma, a colon, or any other word. */
export const TOKEN = new RegExp(String.raw`${STRING}|[{}[\],:]|[^\s{}[\],:"]+`, 'g');
const STRUCTURE = new RegExp(String.raw`${STRING}|[{}[\],]`, 'g');
const LEADING_STRING = new RegExp(`^${STRING}`);

/** The same JSON, indented by two spaces. */
export function indented(text) {
  const tokens = text.match(TOKEN) ?? [];
  let result = '';
  let depth = 0;
  tokens.forEach((token, index) => {
    const next = tokens[index + 1];
    if (token === '{' || token === '[') {
      if (next === '}' || next === ']') {
        result += token;
      } else {
        depth += 1;
        result += token + '\n' + '  '.repeat(depth);
      }
    } else if (token === '}' || token === ']') {
      const before = tokens[index - 1];
      if (before !== '{' && before !== '[') {
        depth -= 1;
        result += '\n' + '  '.repeat(Math.max(depth, 0));
      }
      result += token;
    } else if (token === ',') {
      result += ',\n' + '  '.repeat(depth);
    } else {
      result += token === ':' ? ': ' : token;
    }
  });
  return result;
}

/** Why the text is no document; null if it is one. */
export function fault(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return error.message;
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return 'A document is a JSON object: {"name": "value"}.';
  }
  return null;
}

/** The elements of a JSON array, or the members of an object (`"name":value`), each as its text. */
export function parts(text) {
  const found = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of text.matchAll(STRUCTURE)) {
    if (token === '{' || token === '[') {
      depth += 1;
      if (depth === 1) start = index + 1;
    } else if (token === '}' || token === ']') {
      depth -= 1;
      if (depth === 0) found.push(text.slice(start, index).trim());
    } else if (token === ',' && depth === 1) {
      found.push(text.slice(start, index).trim());
      start = index + 1;
    }
  }
  return found.filter((part) => part !== '');
}

/** The members of a JSON object: each value as its text, by its name. */
export function members(text) {
  return new Map(parts(text).map((part) => {
    const [name] = part.match(LEADING_STRING);
    return [JSON.parse(name), part.slice(name.length).replace(/^\s*:\s*/, '')];
  }));
}

/** Valid JSON as a tree: objects are Maps, arrays are Arrays, anything else is its text. */
export function parse(text) {
  const root = [];
  const above = [];
  let inside = root;
  let name = null;
  const add = (value) => {
    if (name === null) inside.push(value);
    else inside.set(name, value);
    name = null;
  };
  let start = 0;
  while (start < text.length) {
    const first = text[start];
    let end = start + 1;
    if (first === '{' || first === '[') {
      const value = first === '{' ? new Map() : [];
      add(value);
      above.push(inside);
      inside = value;
    } else if (first === '}' || first === ']') {
      inside = above.pop();
    } else if (!BETWEEN.includes(first)) {
      end = first === '"' ? endOfString(text, start) : endOfWord(text, start);
      const token = text.slice(start, end);
      if (name === null && inside instanceof Map) name = nameIn(token);
      else add(token);
    }
    start = end;
  }
  return root[0];
}

const BETWEEN = ' \n\r\t,:';
const AFTER_WORD = ' \n\r\t,]}';

function endOfString(text, start) {
  for (let end = start; ;) {
    end = text.indexOf('"', end + 1);
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
  }
}

function endOfWord(text, start) {
  let end = start + 1;
  while (end < text.length && !AFTER_WORD.includes(text[end])) end += 1;
  return end;
}

const nameIn = (token) => (token.includes('\\') ? JSON.parse(token) : token.slice(1, -1));

/** The beginning of the JSON of a tree. */
export function printed(tree, limit) {
  let result = '';
  const print = (node) => {
    if (result.length > limit) return;
    if (typeof node === 'string') {
      result += node.slice(0, limit + 1);
      return;
    }
    const isMap = node instanceof Map;
    result += isMap ? '{' : '[';
    let separator = '';
    for (const [name, value] of node.entries()) {
      if (result.length > limit) return;
      result += separator + (isMap ? `${JSON.stringify(name)}: ` : '');
      print(value);
      separator = ', ';
    }
    result += isMap ? '}' : ']';
  };
  print(tree);
  return result.length > limit ? `${result.slice(0, limit)}…` : result;
}
