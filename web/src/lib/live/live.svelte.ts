// The live stream as this tab sees it: its state, and who wants to hear of changes. It must not know what a change means.
import { STREAM_URL, type StreamChange } from '../api/index.ts';
import { LiveConnection, type LiveMessage, type LiveState } from './connection.ts';
import type { TabMessage } from './worker.ts';

/** How often the shared worker is asked whether it is there, and how long it may take to say so. */
const PING_MS = 5_000;
const PING_ANSWER_MS_MAX = 12_000;

/** `null` stands for "anything may have changed". */
type Listener = (change: StreamChange | null) => void;

class Live {
  state: LiveState = $state('connecting');
  since: number = $state(Date.now());
  retryAt: number | null = $state(null);
  #listeners = new Set<Listener>();
  #send: ((message: TabMessage) => void) | null = null;

  /** Starts or wakes the stream; called after signing in and by "retry now". */
  connect(): void {
    this.#send ??= this.#open();
    this.#send({ type: 'connect', url: STREAM_URL });
  }

  /** Ends the stream for every tab: the session is over. */
  close(): void {
    this.#send?.({ type: 'close' });
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #hear(message: LiveMessage): void {
    if (message.type === 'state') {
      this.state = message.state;
      this.since = message.since;
      this.retryAt = message.retryAt;
    } else if (message.type === 'resync') {
      this.#tell(null);
    } else {
      this.#tell(parseChange(message.data));
    }
  }

  #tell(change: StreamChange | null): void {
    for (const listener of this.#listeners) listener(change);
  }

  #open(): (message: TabMessage) => void {
    if (typeof SharedWorker === 'undefined') return this.#openHere();
    const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'tocsin-live' });
    const send = (message: TabMessage): void => worker.port.postMessage(message);
    let pingedAt: number | null = null;
    worker.port.onmessage = (said: MessageEvent<LiveMessage>) => {
      pingedAt = null;
      this.#hear(said.data);
    };
    const beat = setInterval(() => {
      if (pingedAt === null) {
        pingedAt = Date.now();
        send({ type: 'ping' });
      } else if (Date.now() - pingedAt > PING_ANSWER_MS_MAX) {
        clearInterval(beat);
        worker.port.close();
        this.#leaveWorker();
      }
    }, PING_MS);
    addEventListener('pagehide', () => this.#send?.({ type: 'leave' }));
    addEventListener('pageshow', (event) => {
      // Back from the browser's page cache: what happened meanwhile is unknown.
      if (!event.persisted) return;
      this.connect();
      this.#tell(null);
    });
    return send;
  }

  /** The browser ended the worker without a word, or it hangs: a connection of this tab's own takes over. */
  #leaveWorker(): void {
    this.#send = this.#openHere();
    if (this.state === 'signed-out') return;
    this.connect();
    this.#tell(null);
  }

  #openHere(): (message: TabMessage) => void {
    const connection = new LiveConnection(STREAM_URL, (message) => this.#hear(message));
    return (message) => {
      if (message.type === 'connect') connection.connect();
      else if (message.type === 'close') connection.close('signed-out');
    };
  }
}

function parseChange(data: string): StreamChange | null {
  try {
    const change = JSON.parse(data) as StreamChange;
    // The server says so when it left changes out.
    return change.kind === 'resync' ? null : change;
  } catch {
    return null;
  }
}

export const live = new Live();
