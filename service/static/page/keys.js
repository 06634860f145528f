// The API key, kept as long as the window is open.

import { element } from './elements.js';
import { recall, remember } from './storage.js';

export const authorization = () => {
  const key = recall('key');
  return key ? { Authorization: `Bearer ${key}` } : {};
};

export function askForKey() {
  element('key-form').hidden = false;
  element('key').focus();
}

/** Take the key from the form. */
export function takeKey() {
  remember('key', element('key').value.trim());
  element('key').value = '';
  element('key-form').hidden = true;
}
