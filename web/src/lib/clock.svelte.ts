// The one ticking clock of the page: server time, once a second, only while something on screen reads it.
import { createSubscriber } from 'svelte/reactivity';
import { serverClockOffsetMs } from './api/client.ts';

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1_000);
  return () => clearInterval(timer);
});

/** Milliseconds since 1970 by this computer's clock; ticks like `now`. */
export function localNow(): number {
  subscribe();
  return Date.now();
}

/** Milliseconds since 1970 by the server's clock; reading it in markup makes that markup tick. */
export function now(): number {
  subscribe();
  return Date.now() + serverClockOffsetMs();
}
