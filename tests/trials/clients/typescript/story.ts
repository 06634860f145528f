// The story, by the types of openapi-typescript and openapi-fetch.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";
import { changes, documents } from "./streams.js";

const client = createClient<paths, "application/json" | "application/problem+json">({
  baseUrl: process.env.STUFF_URL!,
  headers: { Authorization: `Bearer ${process.env.STUFF_KEY}` },
});

const created = await client.POST("/stuff", { body: { name: "Ada", born: 1815 } });
assert.equal(created.response.status, 201);
assert(created.data && "_id" in created.data);
const id = created.data._id as string;
const etag = created.response.headers.get("etag")!;
const path = { id };

const got = await client.GET("/stuff/{id}", { params: { path } });
assert.deepEqual(got.data, { _id: id, name: "Ada", born: 1815 });

const replaced = await client.PUT("/stuff/{id}", {
  params: { path, header: { "If-Match": etag } },
  body: { name: "Ada Lovelace" },
});
assert.equal(replaced.response.status, 200);

const late = await client.PUT("/stuff/{id}", {
  params: { path, header: { "If-Match": etag } },
  body: { name: "?" },
});
assert.equal(late.response.status, 412);
assert(late.error);
assert.equal(late.error.type, "/problems/precondition-failed");
assert.equal(late.error.etag, replaced.response.headers.get("etag"));

const kept = await client.PUT("/stuff/{id}", {
  params: { path, header: { Prefer: "return=representation" } },
  body: { name: "Ada Lovelace" },
});
assert.deepEqual(kept.data, { _id: id, name: "Ada Lovelace" });

const jsonPatched = await client.PATCH("/stuff/{id}", {
  params: { path },
  body: [{ op: "add", path: "/died", value: 1851 }],
  headers: { "Content-Type": "application/json-patch+json" },
});
assert.equal(jsonPatched.response.status, 200);

const patched = await client.PATCH("/stuff/{id}", {
  params: { path },
  body: { died: 1852 },
  headers: { "Content-Type": "application/merge-patch+json" },
});
assert.deepEqual(patched.data, { _id: id, name: "Ada Lovelace", died: 1852 });

for (let number = 0; number < 5; number++) {
  await client.PUT("/stuff/{id}", {
    params: { path: { id: `p/${number}` } },
    body: { page: number },
  });
}
const numbers: unknown[] = [];
let after: string | undefined;
do {
  const filter = '{"page": {"$gte": 0}}';
  const page = await client.GET("/stuff", { params: { query: { filter, limit: 2, after } } });
  assert(page.data);
  numbers.push(...page.data.items.map((item) => item.page));
  after = page.data.next ?? undefined;
} while (after);
assert.deepEqual(numbers, [0, 1, 2, 3, 4]);

for (const each of [id, ...numbers.map((number) => `p/${number}`)]) {
  const deleted = await client.DELETE("/stuff/{id}", { params: { path: { id: each } } });
  assert.equal(deleted.response.status, 204);
}
const key = { Authorization: `Bearer ${process.env.STUFF_KEY}` };
const feed = changes(process.env.STUFF_URL!, key);
const first = feed.next();
const writing = setInterval(() => {
  client.PUT("/stuff/{id}", { params: { path: { id: "news" } }, body: { read: true } });
}, 100);
const change = await first;
clearInterval(writing);
assert.equal(change.value?.data._id, "news");
assert.deepEqual(change.value?.data.document, { _id: "news", read: true });
await feed.return(undefined);

const streamed = [];
for await (const document of documents(process.env.STUFF_URL!, key)) streamed.push(document);
assert.deepEqual(streamed, [{ _id: "news", read: true }]);

const gone = await client.GET("/stuff/{id}", { params: { path } });
assert.equal(gone.error?.status, 404);
