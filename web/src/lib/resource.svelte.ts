// Something fetched that is kept fresh: loads, reloads when the live stream says so, keeps the last good answer through errors.
import { untrack } from 'svelte';
import { ApiError, type StreamChange } from './api/index.ts';
import { coalesce } from './live/coalesce.ts';
import { live } from './live/live.svelte.ts';

/** At most one refetch per resource in this time, in milliseconds. */
const REFETCH_MS_MIN = 250;

export interface ResourceOptions {
  /** Whether a change concerns this resource; without it, every change does. */
  concerns?: (change: StreamChange) => boolean;
  /** Ask again after so many milliseconds in any case. */
  everyMs?: number;
}

export class Resource<Data> {
  data: Data | null = $state.raw(null);
  error: ApiError | null = $state.raw(null);
  loading = $state(true);
  #load: (signal: AbortSignal) => Promise<Data>;
  #abort: AbortController | null = null;

  constructor(load: (signal: AbortSignal) => Promise<Data>) {
    this.#load = load;
  }

  async refresh(): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.loading = true;
    try {
      const data = await this.#load(abort.signal);
      if (abort.signal.aborted) return;
      this.data = data;
      this.error = null;
    } catch (cause) {
      if (abort.signal.aborted) return;
      this.error = cause instanceof ApiError ? cause : new ApiError(0, String(cause));
    }
    this.loading = false;
  }

  /** Forgets what was loaded, for example because another incident is shown now. */
  clear(): void {
    this.#abort?.abort();
    this.data = null;
    this.error = null;
    this.loading = true;
  }
}

/**
 * A resource for the life of the component that calls this. `key` is read reactively: when it changes, the
 * old answer is dropped and the new one loaded.
 */
export function resource<Key, Data>(
  key: () => Key,
  load: (key: Key, signal: AbortSignal) => Promise<Data>,
  options: ResourceOptions = {},
): Resource<Data> {
  const made = new Resource<Data>((signal) => load(untrack(key), signal));
  let shown: string | null = null;
  $effect(() => {
    const next = JSON.stringify(key());
    untrack(() => {
      if (shown !== null && shown !== next) made.clear();
      shown = next;
      void made.refresh();
    });
  });
  $effect(() => {
    const refetch = coalesce(() => void made.refresh(), REFETCH_MS_MIN);
    const stop = live.listen((change) => {
      if (change === null || !options.concerns || options.concerns(change)) refetch();
    });
    const timer = options.everyMs ? setInterval(refetch, options.everyMs) : undefined;
    return () => {
      stop();
      refetch.cancel();
      clearInterval(timer);
    };
  });
  return made;
}
