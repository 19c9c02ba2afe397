// The live stream as this tab sees it: its state, and who wants to hear of changes. It must not know what a change means.
import { STREAM_URL, type StreamChange } from '../api/index.ts';
import { LiveConnection, type LiveMessage, type LiveState } from './connection.ts';
import type { TabMessage } from './worker.ts';

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
    worker.port.onmessage = (said: MessageEvent<LiveMessage>) => this.#hear(said.data);
    const send = (message: TabMessage): void => worker.port.postMessage(message);
    addEventListener('pagehide', () => send({ type: 'leave' }));
    addEventListener('pageshow', (event) => {
      // Back from the browser's page cache: what happened meanwhile is unknown.
      if (!event.persisted) return;
      send({ type: 'connect', url: STREAM_URL });
      this.#tell(null);
    });
    return send;
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
