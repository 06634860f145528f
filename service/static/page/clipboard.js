// Copying to the clipboard.

/** Copy a text. Over plain HTTP, except on this machine, browsers only copy what is selected. */
export async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const focused = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  focused.focus({ preventScroll: true });
  if (!isCopied) throw new Error('The browser does not allow this page to copy.');
}
