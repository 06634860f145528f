// Reads every document, and follows the feed, with nothing but fetch.

async function* lines(response: Response): AsyncGenerator<string> {
  if (!response.ok) throw new Error(await response.text());
  let rest = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}

// Every document, as it arrives. Throws if some are missing.
export async function* documents(url: string, headers: Record<string, string> = {}) {
  const accept = { Accept: "application/x-ndjson" };
  for await (const line of lines(await fetch(`${url}/stuff`, { headers: { ...headers, ...accept } }))) {
    yield JSON.parse(line) as { _id: string; [field: string]: unknown };
  }
}

// Every change: `event`, `id` and `data`. To miss nothing when the connection breaks, come back with
// the last `id` as `Last-Event-ID`. Unlike EventSource, this can send a key.
export async function* changes(url: string, headers: Record<string, string> = {}) {
  const accept = { Accept: "text/event-stream" };
  let event: Record<string, string> = {};
  for await (const line of lines(await fetch(`${url}/stuff`, { headers: { ...headers, ...accept } }))) {
    const [name, value] = line.split(/: (.*)/s, 2) as [string, string | undefined];
    if (line !== "") event[name] = value ?? "";
    else if ("data" in event) yield { ...event, data: JSON.parse(event.data!) };
    if (line === "") event = {};
  }
}
