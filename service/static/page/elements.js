// The elements of the page, which index.html names.

export const element = (id) => document.getElementById(id);
