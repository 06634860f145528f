// Asks the server for pages of documents, and for their number.

import { members, parts } from './json.js';
import { request } from './requests.js';

export const PAGE_SIZE = 25;

/** A page of what a query selects in a collection (`filter`, `sort`), from a cursor on: its
    `documents` as text, and the cursor of the `next` page, null if there is none. */
export async function ask(collection, query, after, options) {
  const page = await get(collection, { limit: PAGE_SIZE, ...query, after }, options);
  return { documents: parts(page.get('items')), next: JSON.parse(page.get('next')) };
}

/** How many documents a query selects. */
export async function count(collection, { filter }) {
  const page = await get(collection, { filter, limit: 1, fields: '_id', count: true });
  return Number(page.get('total'));
}

async function get({ name }, parameters, options) {
  const given = Object.entries(parameters).filter(([, value]) => value);
  const response = await request(`${name}?${new URLSearchParams(given)}`, options);
  return members(await response.text());
}
