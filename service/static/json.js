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
