// Single documents on the server.

import { indented } from './json.js';
import { request } from './requests.js';

/** Browsers shorten the paths `.` and `..`, escaped or not. */
function address(id) {
  if (id === '.' || id === '..') throw new Error(`Browsers cannot ask for the document "${id}".`);
  return `stuff/${encodeURIComponent(id)}`;
}

/** The document: its `etag`, and `saved`, its text; null if there is none. */
export async function find(id) {
  try {
    const response = await request(address(id));
    return { etag: response.headers.get('etag'), saved: indented(await response.text()) };
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** Replace the document that has this entity tag, or create it if the entity tag is null. The new
    entity tag; null if the document is another one by now. */
export async function write(id, body, etag) {
  const condition = etag === null ? { 'If-None-Match': '*' } : { 'If-Match': etag };
  const headers = { 'Content-Type': 'application/json', ...condition };
  const response = await change(id, { method: 'PUT', headers, body });
  return response.status === 412 ? null : response.headers.get('etag');
}

/** Delete the document that has this entity tag. False if it is another one by now. */
export async function remove(id, etag) {
  try {
    const response = await change(id, { method: 'DELETE', headers: { 'If-Match': etag } });
    return response.status !== 412;
  } catch (error) {
    if (error.status === 404) return true;
    throw error;
  }
}

/** Conditional requests can be sent again: what was done already is noticed. */
async function change(id, options) {
  try {
    return await request(address(id), options);
  } catch (error) {
    if (error.isPassing) error.message += ' This may have been done all the same.';
    throw error;
  }
}
