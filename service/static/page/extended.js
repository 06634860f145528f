// Documents in Extended JSON, so that a date, an ObjectId or a decimal that another program stored is
// still one when the document is saved here.
// https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/

export const EXTENDED = 'application/ejson';

const FIRST_DATE = Date.parse('0001-01-01T00:00:00Z');
const LAST_DATE = Date.parse('9999-12-31T23:59:59.999Z');
const TYPED = /\{"\$(?:numberInt|numberLong|numberDouble|date)":(?:"[^"]*"|\{"\$numberLong":"-?\d+"\})\}/g;
const INTEGER = /^-?\d+$/;
const FLOAT = /^-?\d[\d.e+-]*$/;

/** Canonical Extended JSON, as the server writes it, in the form that people read: numbers and dates
    without their types, where the text shows these. What is stored for it is the same. No string can
    contain what is replaced, since its quotes would be escaped. */
export const readable = (text) => text.replace(TYPED, plain);

function plain(text) {
  const [[type, value]] = Object.entries(JSON.parse(text));
  switch (type) {
    case '$numberInt':
      return INTEGER.test(value) ? value : text;
    case '$numberLong': // one of 32 bits would become another type
      return INTEGER.test(value) && !isShort(BigInt(value)) ? value : text;
    case '$numberDouble':
      return FLOAT.test(value) ? value : text;
    default:
      return `{"$date":${date(value.$numberLong) ?? text.slice('{"$date":'.length, -1)}}`;
  }
}

const isShort = (integer) => BigInt.asIntN(32, integer) === integer;

/** The time as JSON; nothing if it has no such form. */
function date(milliseconds) {
  const number = Number(milliseconds);
  if (!(number >= FIRST_DATE && number <= LAST_DATE)) return undefined;
  return JSON.stringify(new Date(number).toISOString());
}

/** Whether the server sends the document as the base64 of its BSON, since it has objects that look
    like values of a type, such as `{"$date": "today"}`. */
export const isWrapped = (text) => text.replace(/\s/g, '').startsWith('{"$bson":{"$binary"');

/** The entity tag that all representations of the document have in common. */
export const commonTag = (etag) => etag.replace(/\.ejson"$/, '"');
