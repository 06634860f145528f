// The feed through fetch, since EventSource cannot send a key. Resumes where the connection broke.

const RETRY = 1000; // milliseconds

/** Calls `on.open()`, `on.change(event)`, `on.away()`, `on.lost(status)`; the last one ends it. */
export async function follow(url, headers, on) {
  let last = '';
  for (;;) {
    try {
      const response = await fetch(url, {
        cache: 'no-store',
        headers: {
          ...headers(),
          Accept: 'text/event-stream',
          ...(last ? { 'Last-Event-ID': last } : {}),
        },
      });
      if (response.status < 500 && !response.ok) {
        on.lost(response.status);
        return;
      }
      if (response.ok) {
        on.open();
        for await (const event of events(response.body)) {
          last = event.id || last;
          if (event.kind === 'gone') {
            on.lost(JSON.parse(event.data).status);
            return;
          }
          if (event.data) on.change(event.kind, event.data);
        }
      }
    } catch {
      // The connection broke.
    }
    on.away();
    await new Promise((resolve) => { setTimeout(resolve, RETRY); });
  }
}

async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) yield parsed(block);
  }
}

function parsed(block) {
  const event = { kind: '', id: '', data: '' };
  for (const line of block.split('\n')) {
    const [, name, value] = line.match(/^(\w*): ?(.*)$/) ?? [];
    if (name === 'event') event.kind = value;
    if (name === 'id') event.id = value;
    if (name === 'data') event.data += value;
  }
  return event;
}
