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
  #abort = new AbortController();
  #current: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(load: (signal: AbortSignal) => Promise<Data>) {
    this.#load = load;
  }

  /**
   * Loads; while a load runs, once more after it, however often this is called. A load is never given up for a newer one:
   * where changes come faster than answers, nothing would ever be shown.
   */
  refresh(): Promise<void> {
    if (!this.#current) return this.#start();
    const { signal } = this.#abort;
    return (this.#next ??= this.#current.then(() => {
      if (signal.aborted) return;
      this.#next = null;
      return this.#start();
    }));
  }

  /** Forgets what was loaded, for example because another incident is shown now. */
  clear(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#current = this.#next = null;
    this.data = null;
    this.error = null;
    this.loading = true;
  }

  #start(): Promise<void> {
    return (this.#current = this.#run(this.#abort.signal));
  }

  async #run(signal: AbortSignal): Promise<void> {
    this.loading = true;
    try {
      const data = await this.#load(signal);
      if (signal.aborted) return;
      this.data = data;
      this.error = null;
    } catch (cause) {
      if (signal.aborted) return;
      this.error = cause instanceof ApiError ? cause : new ApiError(0, String(cause));
    }
    this.loading = false;
    this.#current = null;
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
