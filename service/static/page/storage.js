// What this tab remembers until it is closed, also when the page is reloaded. Another service at the
// same origin, under another path, has its own.

const prefix = `stuff ${location.pathname} `;

/** The remembered text; null if there is none. */
export const recall = (name) => sessionStorage.getItem(prefix + name);

/** Remember a text, unless the storage is full (5 MiB). */
export function remember(name, text) {
  try {
    sessionStorage.setItem(prefix + name, text);
  } catch {
    forget(name);
  }
}

export const forget = (name) => sessionStorage.removeItem(prefix + name);

/** The rest of each remembered name that starts with this. */
export const recalled = (start) => Object.keys(sessionStorage)
  .filter((name) => name.startsWith(prefix + start))
  .map((name) => name.slice(prefix.length + start.length));
