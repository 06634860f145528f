// JSON as text: numbers that JavaScript cannot hold (integers beyond 2^53, 1.0) must come through
// unchanged, so nothing here goes through JSON.parse and back.

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

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

const STRUCTURE = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

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
    const [name] = part.match(/^"(?:[^"\\]|\\.)*"/);
    return [JSON.parse(name), part.slice(name.length).replace(/^\s*:\s*/, '')];
  }));
}
