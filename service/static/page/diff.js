// The difference between two texts, line by line: a longest common subsequence.

const MAX_CELLS = 4_000_000;

/** A list of ['same' | 'theirs' | 'mine', line]. */
export function difference(theirs, mine) {
  const a = theirs.split('\n');
  const b = mine.split('\n');
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start
      && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const left = a.slice(start, a.length - end);
  const right = b.slice(start, b.length - end);
  const same = (line) => ['same', line];
  return [
    ...a.slice(0, start).map(same),
    ...changed(left, right),
    ...a.slice(a.length - end).map(same),
  ];
}

function changed(left, right) {
  if (left.length * right.length > MAX_CELLS) {
    return [...left.map((line) => ['theirs', line]), ...right.map((line) => ['mine', line])];
  }
  // length[i][j]: of the common subsequence of what follows i and j
  const length = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      length[i][j] = left[i] === right[j]
        ? length[i + 1][j + 1] + 1
        : Math.max(length[i + 1][j], length[i][j + 1]);
    }
  }
  const result = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      result.push(['same', left[i]]);
      i += 1;
      j += 1;
    } else if (j === right.length || (i < left.length && length[i + 1][j] >= length[i][j + 1])) {
      result.push(['theirs', left[i]]);
      i += 1;
    } else {
      result.push(['mine', right[j]]);
      j += 1;
    }
  }
  return result;
}
