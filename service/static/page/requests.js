// Requests to the server, whose problems (RFC 9457) become errors.

import { askForKey, authorization } from './keys.js';

/** `encodeURIComponent` leaves dots, and browsers take a path of dots for a direction. */
export const address = (id) => `stuff/${encodeURIComponent(id)}`;

/** The response of a success or a 412. Throws an error with a message for people, and with the
    `status` and the `pointer` of the problem. */
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
  const error = new Error(problem.detail ?? `${response.status} ${response.statusText}`);
  error.status = response.status;
  error.pointer = problem.pointer;
  throw error;
}
