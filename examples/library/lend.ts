// Lends a book: node built/lend.js kindred ada 2026-12-31

import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const [id = "", reader = "", until = ""] = process.argv.slice(2);
const library = createClient<paths, "application/json" | "application/problem+json">({
  baseUrl: process.env.STUFF_URL ?? "http://127.0.0.1:8000",
});

const { data: book, error: unread } = await library.GET("/books/{id}", {
  params: { path: { id }, query: { meta: true } },
});
if (unread) {
  console.log(unread.detail);
} else if (book.lent) {
  console.log(`${book.lent.to} has it until ${book.lent.until}.`);
} else {
  const { data: lent, error } = await library.PATCH("/books/{id}", {
    params: { path: { id }, header: { "If-Match": `"${book._stuff?.etag}"` } },
    headers: { "Content-Type": "application/merge-patch+json" },
    body: { lent: { to: reader, until } },
  });
  for (const fault of error?.errors ?? []) console.log(`${fault.pointer}: ${fault.detail}`);
  console.log(error?.detail ?? `Lent until ${lent?.lent?.until}: ${book.title} (${book.year})`);
}
