// Requests to the server, whose problems (RFC 9457) become errors.

import { askForKey, authorization } from './keys.js';

/** The response of a success or a 412. Throws an error with a message for people and the `status`
    of the problem. */
export async function request(url, options) {
  let response;
  try {
    const headers = { ...authorization(), ...options?.headers };
    response = await fetch(url, { cache: 'no-store', ...options, headers });
  } catch {
    throw new Error('The server does not answer.');
  }
  if (response.ok || response.status === 412) return response;
  if (response.status === 401) askForKey();
  const problem = await response.json().catch(() => ({}));
  const place = problem.pointer ? ` (at ${problem.pointer})` : '';
  const error = new Error((problem.detail ?? `${response.status} ${response.statusText}`) + place);
  error.status = response.status;
  throw error;
}
