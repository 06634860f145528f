// The collections of the server.

import { indented, members, parts } from './json.js';
import { key } from './keys.js';
import { request } from './requests.js';

const BLANK = '{\n  \n}';

/** Those that the key may see, `stuff` first: the `name` of each, whether it `isReadOnly`, the type
    of its ids (`idType`), its `mainFields` (none without a schema), and the `template` of a new
    document, as text. */
export async function findCollections() {
  const response = await request('collections.json');
  const all = parts(await response.text()).map(collectionOf);
  if (all.length === 1 || !key()) return all;
  const areSeen = await Promise.all(all.map(isSeen));
  const seen = all.filter((_, index) => areSeen[index]);
  if (seen.length === 0) throw new Error('This key may see no collection of this server.');
  return seen;
}

function collectionOf(json) {
  const fields = members(json);
  const template = fields.get('template');
  return {
    name: JSON.parse(fields.get('name')),
    isReadOnly: JSON.parse(fields.get('read_only')),
    idType: JSON.parse(fields.get('id')),
    mainFields: JSON.parse(fields.get('main_fields')),
    template: template === '{}' ? BLANK : indented(template),
  };
}

async function isSeen({ name }) {
  try {
    await request(name, { method: 'OPTIONS' });
    return true;
  } catch (error) {
    if (error.status === 403) return false;
    throw error;
  }
}
