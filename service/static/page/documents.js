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

/** Replace the document that has this entity tag; create it if the entity tag is null, under a new
    id if the id is empty. The new `id` and `etag`; null if the document is another one by now. */
export async function write(id, body, etag) {
  const headers = { 'Content-Type': 'application/json' };
  let response;
  if (id) {
    const condition = etag === null ? { 'If-None-Match': '*' } : { 'If-Match': etag };
    const options = { method: 'PUT', headers: { ...headers, ...condition }, body };
    response = await request(address(id), options);
  } else {
    response = await request('stuff', { method: 'POST', headers, body });
  }
  if (response.status === 412) return null;
  const made = id || (await response.json())._id;
  return { id: made, etag: response.headers.get('etag') };
}

/** Delete the document that has this entity tag. Whether it was that one. */
export async function remove(id, etag) {
  const options = { method: 'DELETE', headers: { 'If-Match': etag } };
  return (await request(address(id), options)).status !== 412;
}
