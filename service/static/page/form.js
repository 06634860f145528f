// The fields of the editor, and the line below them.

import { element } from './elements.js';
import { hideFaults } from './faults.js';
import { LABELS } from './ids.js';
import { fault } from './json.js';

const text = element('text');
const idField = element('id');

/** What is in the fields: the `text`, and the `id` of a document that is to be created. */
export const typed = () => ({ text: text.value, id: idField.value });

export function onInput(work) {
  text.addEventListener('input', work);
  idField.addEventListener('input', work);
}

/** Show the fields for a document, or for one that is to be created. */
export function showForm(id, isNew) {
  element('editor-title').textContent = isNew ? 'New document' : id;
  if (!isNew && document.activeElement === idField) text.focus();
  idField.hidden = element('id-label').hidden = !isNew;
  element('delete').hidden = element('copy-id').hidden = isNew;
  element('editor').hidden = false;
  document.body.classList.add('open');
}

/** Fit a collection, whose documents are shown. */
export function enter({ isReadOnly, idType }) {
  document.body.classList.toggle('read-only', isReadOnly);
  text.readOnly = isReadOnly;
  element('id-label').textContent = LABELS[idType];
}

export function hideForm() {
  element('editor').hidden = true;
  document.body.classList.remove('open');
}

export function fill(fields) {
  text.value = fields.text;
  idField.value = fields.id;
  hideFaults();
}

/** Whether the focus will be lost when the editor is hidden. */
export const isFocused = () => {
  const { activeElement } = document;
  return activeElement === document.body || element('editor').contains(activeElement);
};

/** Let people type. On a touch screen they would get a keyboard over what they want to read. */
export function focusText() {
  const isTouched = matchMedia('(pointer: coarse)').matches;
  (isTouched ? element('editor-title') : text).focus({ preventScroll: true });
}
export const focusId = () => idField.focus();

/** Say whether the text can be saved, and whether it needs to be. */
export function check(isDirty) {
  const wrong = fault(text.value);
  tell(wrong ?? (isDirty ? 'Changed, and not saved.' : ''), wrong !== null);
  element('save').disabled = wrong !== null;
  element('discard').hidden = !isDirty;
}

export function tell(message, isBad = false) {
  const line = element('check');
  line.textContent = message;
  line.classList.toggle('bad', isBad);
}
