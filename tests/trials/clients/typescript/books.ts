// The story of a declared collection, by the types of openapi-typescript and openapi-fetch.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Book = components["schemas"]["Book"];
type BookFields = components["schemas"]["BookFields"];
type BookPatch = components["schemas"]["BookPatch"];

const client = createClient<paths, "application/json" | "application/problem+json">({
  baseUrl: process.env.STUFF_URL!,
  headers: { Authorization: `Bearer ${process.env.STUFF_KEY}` },
});
const path = { id: "notes" };

const notes: BookFields = {
  id: "L-7",
  title: "Notes",
  subtitle: "On the Analytical Engine",
  year: 1843,
  language: "en",
  published: "1843-09-01",
  bought: "2026-11-23T12:30:00Z",
  authors: [{ name: "Ada Lovelace", born: 1815 }],
  chapters: [["A", "B"], []],
  publisher: { name: "Taylor", address: { city: "London" } },
  medium: { form: "paper", pages: 66 },
  ratings: { Babbage: 4.5 },
  lent: false,
};
const created = await client.PUT("/books/{id}", {
  params: { path, header: { "If-None-Match": "*" } },
  body: notes,
});
assert.equal(created.response.status, 201);

const got = await client.GET("/books/{id}", { params: { path, query: { meta: true } } });
assert(got.data);
const { _stuff, ...book }: Book = got.data;
assert.deepEqual(book, { _id: "notes", ...notes });
const etag = `"${_stuff?.etag}"`;
assert.equal(etag, created.response.headers.get("etag"));

const refused = await client.PUT("/books/{id}", {
  params: { path },
  body: { id: "7", title: " Notes", year: 1843 },
});
assert.equal(refused.response.status, 422);
assert.equal(refused.error?.type, "/problems/schema-violation");
const faults = refused.error.errors ?? [];
assert.deepEqual(new Set(faults.map((fault) => fault.pointer)), new Set(["/id", "/title"]));
assert(faults.every((fault) => fault.detail.length > 0));

// What is null is removed, what is not named stays.
const patch: BookPatch = {
  subtitle: null,
  lent: true,
  publisher: { address: { street: "Red Lion Court" } },
};
const patched = await client.PATCH("/books/{id}", {
  params: { path, header: { "If-Match": etag } },
  body: patch,
  headers: { "Content-Type": "application/merge-patch+json" },
});
const { subtitle, ...kept } = book;
assert.deepEqual(patched.data, {
  ...kept,
  lent: true,
  publisher: { name: "Taylor", address: { city: "London", street: "Red Lion Court" } },
});

const late = await client.PUT("/books/{id}", {
  params: { path, header: { "If-Match": etag } },
  body: notes,
});
assert.equal(late.response.status, 412);

const other = await client.POST("/books", { body: { title: "Passages", year: 1864 } });
assert(other.data && "_id" in other.data);
const titles: string[] = [];
let after: string | undefined;
do {
  const page = await client.GET("/books", {
    params: { query: { sort: "year", limit: 1, after } },
  });
  assert(page.data);
  titles.push(...page.data.items.map((item) => item.title));
  after = page.data.next ?? undefined;
} while (after);
assert.deepEqual(titles, ["Notes", "Passages"]);

for (const id of ["notes", other.data._id]) {
  const deleted = await client.DELETE("/books/{id}", { params: { path: { id } } });
  assert.equal(deleted.response.status, 204);
}
