// Holds one connection to the live stream open: resume, silence watch, backoff. Runs in the shared worker or, without one, in the tab.
import { sseParser } from './sse.ts';

export type LiveState = 'connecting' | 'live' | 'lost' | 'signed-out';

export type LiveMessage =
  | { type: 'state'; state: LiveState; since: number; retryAt: number | null }
  | { type: 'change'; data: string }
  /** Changes may have been missed: everything on screen has to be asked for again. */
  | { type: 'resync' };

/** Without a byte for this long (the server sends one at least every 15 s), the connection counts as dead. */
const SILENCE_MS_MAX = 40_000;
/** How long the first byte of an answer may take: without a bound, a hung proxy would hold this connection for ever. */
const HEADERS_MS_MAX = 10_000;
/** A try is fresh for this long: the screens load at the same time, so a first connection missed nothing; and nobody need try anew. */
const IMMEDIATE_MS_MAX = 1_000;
const BACKOFF_MS_FIRST = 500;
const BACKOFF_MS_MAX = 15_000;

/** How long to wait before try number `failures + 1`, with jitter so that a thousand browsers do not come back at once. */
export function backoffMs(failures: number, random: number): number {
  const full = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_FIRST * 2 ** Math.min(failures - 1, 10));
  return Math.round(full * (0.5 + random / 2));
}

export class LiveConnection {
  #url: string;
  #emit: (message: LiveMessage) => void;
  #lastEventId: string | null = null;
  #failures = 0;
  #abort: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #startedAt = Date.now();
  #triedAt = 0;
  #mayHaveMissed = false;
  last: LiveMessage & { type: 'state' } = { type: 'state', state: 'connecting', since: Date.now(), retryAt: null };

  constructor(url: string, emit: (message: LiveMessage) => void) {
    this.#url = url;
    this.#emit = emit;
  }

  /** Connects now, whatever was waited for, also in place of a try that hangs; does nothing while a connection is open. */
  connect(): void {
    if (this.#abort && (this.last.state === 'live' || Date.now() - this.#triedAt < IMMEDIATE_MS_MAX)) return;
    this.#abort?.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    void this.#run(new AbortController());
  }

  close(state: LiveState = 'lost'): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#abort?.abort();
    this.#abort = null;
    this.#say(state, null);
  }

  async #run(abort: AbortController): Promise<void> {
    this.#abort = abort;
    this.#triedAt = Date.now();
    const deadline = setTimeout(() => abort.abort(), HEADERS_MS_MAX);
    try {
      const answer = await fetch(this.#url, {
        headers: { Accept: 'text/event-stream', ...(this.#lastEventId !== null && { 'Last-Event-ID': this.#lastEventId }) },
        credentials: 'same-origin',
        cache: 'no-store',
        signal: abort.signal,
      });
      clearTimeout(deadline);
      if (this.#abort !== abort) return;
      if (answer.status === 401 || answer.status === 403) {
        this.close('signed-out');
        return;
      }
      if (!answer.ok || !answer.body) throw new Error(`the stream answered ${answer.status}`);
      await this.#read(answer.body, abort);
    } catch {
      // Whatever broke the stream, the answer is the same: try again later.
    } finally {
      clearTimeout(deadline);
    }
    if (this.#abort === abort) this.#retryLater();
  }

  async #read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const feed = sseParser((event) => {
      if (event.id !== null) this.#lastEventId = event.id;
      if (event.event === 'change') this.#emit({ type: 'change', data: event.data });
    });
    const decoder = new TextDecoder();
    const reader = body.getReader();
    this.#failures = 0;
    this.#say('live', null);
    if (this.#mayHaveMissed || Date.now() - this.#startedAt > IMMEDIATE_MS_MAX) this.#emit({ type: 'resync' });
    this.#mayHaveMissed = true;
    for (;;) {
      clearTimeout(this.#silence);
      this.#silence = setTimeout(() => abort.abort(), SILENCE_MS_MAX);
      const { done, value } = await reader.read();
      if (done) return;
      feed(decoder.decode(value, { stream: true }));
    }
  }

  #retryLater(): void {
    clearTimeout(this.#silence);
    this.#abort = null;
    this.#failures += 1;
    this.#mayHaveMissed = true;
    const wait = backoffMs(this.#failures, Math.random());
    this.#say('lost', Date.now() + wait);
    this.#timer = setTimeout(() => this.connect(), wait);
  }

  #say(state: LiveState, retryAt: number | null): void {
    const since = this.last.state === state ? this.last.since : Date.now();
    this.last = { type: 'state', state, since, retryAt };
    this.#emit(this.last);
  }
}
