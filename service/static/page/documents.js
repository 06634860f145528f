// Single documents on the server.

import { EXTENDED, commonTag, isWrapped, readable } from './extended.js';
import { indented } from './json.js';
import { request } from './requests.js';

const JSON_TYPE = 'application/json';

/** Browsers shorten the paths `.` and `..`, escaped or not. */
function address({ name }, id) {
  if (id === '.' || id === '..') throw new Error(`Browsers cannot ask for the document "${id}".`);
  return `${name}/${encodeURIComponent(id)}`;
}

/** The document: its `etag`, `saved`, its text, and the media type of that; null if there is none.
    Without a type it is Extended JSON, if that is readable. */
export async function find(collection, id, type) {
  try {
    const found = await read(collection, id, type ?? EXTENDED);
    if (type || !isWrapped(found.saved)) return found;
    return { ...await read(collection, id, JSON_TYPE), isAmbiguous: true };
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

async function read(collection, id, type) {
  const response = await request(address(collection, id), { headers: { Accept: type } });
  const text = await response.text();
  const etag = commonTag(response.headers.get('etag'));
  return { etag, type, saved: indented(type === EXTENDED ? readable(text) : text) };
}

/** Replace the document that has this entity tag, or create it if the entity tag is null. The new
    entity tag; null if the document is another one by now. */
export async function write(collection, id, body, etag, type) {
  const condition = etag === null ? { 'If-None-Match': '*' } : { 'If-Match': etag };
  const headers = { 'Content-Type': type, ...condition };
  const response = await change(collection, id, { method: 'PUT', headers, body });
  return response.status === 412 ? null : response.headers.get('etag');
}

/** Delete the document that has this entity tag. False if it is another one by now. */
export async function remove(collection, id, etag) {
  const headers = { 'If-Match': etag };
  try {
    const response = await change(collection, id, { method: 'DELETE', headers });
    return response.status !== 412;
  } catch (error) {
    if (error.status === 404) return true;
    throw error;
  }
}

/** Conditional requests can be sent again: what was done already is noticed. */
async function change(collection, id, options) {
  try {
    return await request(address(collection, id), options);
  } catch (error) {
    if (error.isPassing) error.message += ' This may have been done all the same.';
    throw error;
  }
}
