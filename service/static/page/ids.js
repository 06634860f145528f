// The ids of documents, by the types that a collection can declare.

const hexadecimal = (bytes) => (
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
);

/** A new id, as the server makes them; nothing if only people can give one. */
export function newId(type) {
  if (type === 'integer') return undefined;
  return type === 'objectid' ? newObjectId() : newUuid();
}

/** A UUIDv7 (RFC 9562, section 5.7). */
function newUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const time = Date.now();
  for (let i = 0; i < 6; i += 1) bytes[i] = Math.floor(time / 256 ** (5 - i)) % 256;
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return hexadecimal(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** https://www.mongodb.com/docs/manual/reference/bson-types/#objectid */
function newObjectId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  new DataView(bytes.buffer).setUint32(0, Math.floor(Date.now() / 1000));
  return hexadecimal(bytes);
}

/** What to say of the id of a new document. */
export const LABELS = {
  string: 'Id (a new UUID if left empty)',
  uuid: 'Id (a new UUID if left empty)',
  objectid: 'Id (a new ObjectId if left empty)',
  integer: 'Id (an integer)',
};

/** A filter for the ids that begin with a text; for the one integer that it is. */
export function beginningWith(text, type) {
  return { _id: type === 'integer' ? text : { $gte: text, $lt: `${text}\u{10ffff}` } };
}
