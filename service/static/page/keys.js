// The API key, kept as long as the window is open.

import { element } from './elements.js';

export const authorization = () => {
  const key = sessionStorage.getItem('key');
  return key ? { Authorization: `Bearer ${key}` } : {};
};

export function askForKey() {
  element('key-form').hidden = false;
  element('key').focus();
}

/** Take the key from the form. */
export function takeKey() {
  sessionStorage.setItem('key', element('key').value.trim());
  element('key').value = '';
  element('key-form').hidden = true;
}
