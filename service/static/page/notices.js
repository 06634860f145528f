// What the page tells: one line at the top.

import { element } from './elements.js';

export function say(message, good = false) {
  const notice = element('notice');
  notice.textContent = message;
  notice.classList.toggle('good', good);
  notice.hidden = !message;
}

/** An event handler that shows what goes wrong. */
export const guarded = (work) => async (...given) => {
  try {
    await work(...given);
  } catch (error) {
    say(error.message);
  }
};
