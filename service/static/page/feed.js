// The feed through fetch, since EventSource cannot send a key. It resumes where its connection
// broke. A tab that nobody sees has none: over HTTP/1.1 a browser opens six to a server.

const PAUSE = { min: 1000, max: 30_000 }; // milliseconds before it tries again
const UNSUPPORTED = 501;

/** Calls `on.open()`, `on.change(kind, data)`, `on.silent(comment)` while the database does not
    answer, and `on.away()` when the connection broke. Ends with `on.refused(status)`, or with
    `on.gone()` if the server has forgotten where this follower was. */
export async function follow(url, headers, on, signal) {
  let last = '';
  let pause = PAUSE.min;
  while (!signal.aborted) {
    await seen();
    const connection = connect(signal);
    try {
      const response = await fetch(url, {
        cache: 'no-store',
        signal: connection.signal,
        headers: {
          ...headers(),
          Accept: 'text/event-stream',
          ...(last ? { 'Last-Event-ID': last } : {}),
        },
      });
      if (!response.ok && (response.status < 500 || response.status === UNSUPPORTED)) {
        on.refused(response.status);
        return;
      }
      if (response.ok) {
        on.open();
        for await (const event of events(response.body)) {
          if (signal.aborted) return; // some events of a part of the stream may be left
          last = event.id || last;
          pause = PAUSE.min;
          if (event.kind === 'gone') {
            on.gone();
            return;
          }
          if (event.data) on.change(event.kind, event.data);
          else on.silent(event.comment);
        }
      }
    } catch {
      // The connection broke.
    } finally {
      connection.end();
    }
    if (signal.aborted) return;
    on.away();
    await rested(pause);
    pause = Math.min(2 * pause, PAUSE.max);
  }
}

/** A signal that ends the connection with the page, while nobody sees it, or without a network,
    which a connection itself may notice only after minutes. */
function connect(signal) {
  const controller = new AbortController();
  const end = () => controller.abort();
  const options = { signal: controller.signal };
  signal.addEventListener('abort', end, options);
  window.addEventListener('offline', end, options);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) end();
  }, options);
  return { signal: controller.signal, end };
}

/** Somebody sees this tab. */
async function seen() {
  while (document.hidden) {
    await new Promise((resolve) => {
      document.addEventListener('visibilitychange', resolve, { once: true });
    });
  }
}

/** The time has passed, or the browser is connected again, or somebody looks again. */
function rested(pause) {
  return new Promise((resolve) => {
    setTimeout(resolve, pause * (0.5 + Math.random() / 2));
    window.addEventListener('online', resolve, { once: true });
    document.addEventListener('visibilitychange', resolve, { once: true });
  });
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
  const event = { kind: '', id: '', data: '', comment: '' };
  for (const line of block.split('\n')) {
    const [, name, value] = line.match(/^(\w*): ?(.*)$/) ?? [];
    if (name === 'event') event.kind = value;
    if (name === 'id') event.id = value;
    if (name === 'data') event.data += value;
    if (name === '') event.comment = value;
  }
  return event;
}
