// Requests to the server, and what to say if they fail.

import { key, refuse } from './keys.js';

const PASSING = [0, 429, 502, 503, 504];

/** What a status means, if the answer is not from the service, whose problems (RFC 9457) say more. */
const MEANINGS = {
  403: 'This is not allowed.',
  404: 'There is nothing at this address.',
  413: 'This is too large.',
  429: 'There are too many requests. Try again in a moment.',
  502: 'The server cannot be reached. Try again in a moment.',
  503: 'The server cannot do this now. Try again in a moment.',
  504: 'The server took too long. Try again in a moment.',
};

/** A message for people; `status` is 0 if there was no answer. `faults` are what is wrong with the
    document that was sent: each a `detail`, and the `pointer` to its place. */
export class RequestError extends Error {
  constructor(message, status, faults = []) {
    super(message);
    this.status = status;
    this.faults = faults;
  }

  /** Whether it may well succeed the next time. */
  get isPassing() {
    return PASSING.includes(this.status);
  }
}

export const authorization = (given = key()) => (
  given ? { Authorization: `Bearer ${given}` } : {}
);

/** The response of a success or a 412; raises a `RequestError` instead of any other. */
export async function request(url, options) {
  const given = key();
  let response;
  try {
    const headers = { ...authorization(given), ...options?.headers };
    response = await fetch(url, { cache: 'no-store', ...options, headers });
  } catch {
    throw new RequestError(unanswered(), 0);
  }
  if (response.ok || response.status === 412) return response;
  if (response.status === 401) {
    refuse(given);
    throw new RequestError(given ? 'The server does not know this key (any more).' : '', 401);
  }
  throw await explained(response);
}

function unanswered() {
  return navigator.onLine
    ? 'The server does not answer. Try again in a moment.'
    : 'You are offline. Try again when you are connected.';
}

async function explained(response) {
  const { status } = response;
  const problem = Object(await response.json().catch(() => null));
  const meaning = MEANINGS[status] ?? 'The server could not do this.';
  const reasons = [problem, ...(problem.errors ?? [])].filter(({ detail }) => detail);
  const message = reasons.map(placed).join(' ') || `${meaning} (${status})`;
  return new RequestError(message, status, reasons.filter(({ pointer }) => pointer !== undefined));
}

/** What is wrong, and where. */
export const placed = ({ detail, pointer }) => (pointer ? `${detail} (at ${pointer})` : detail);
