import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { backoffMs, LiveConnection, type LiveMessage } from './connection.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A connection to a server that answers try after try as told: refused, never, or with an open stream. */
function connected(answers: ('refused' | 'never' | 'open' | 'ends')[]) {
  const heard: string[] = [];
  let tries = 0;
  vi.stubGlobal('fetch', (_: string, { signal }: { signal: AbortSignal }) => {
    const answer = answers[tries] ?? 'never';
    tries += 1;
    if (answer === 'refused') return Promise.reject(new Error('refused'));
    if (answer === 'never') return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    const body = new ReadableStream({ start: (stream) => (answer === 'ends' ? stream.close() : undefined) });
    return Promise.resolve(new Response(body));
  });
  const connection = new LiveConnection('/stream', (message: LiveMessage) =>
    heard.push(message.type === 'state' ? message.state : message.type),
  );
  return { connection, heard, tries: () => tries };
}

test('the wait doubles up to a bound and is never zero', () => {
  expect(backoffMs(1, 1)).toBe(500);
  expect(backoffMs(2, 1)).toBe(1_000);
  expect(backoffMs(4, 0)).toBe(2_000);
  expect(backoffMs(99, 1)).toBe(15_000);
  expect(backoffMs(1, 0)).toBe(250);
});

test('a first connection at once asks for nothing anew', async () => {
  const { connection, heard } = connected(['open']);
  connection.connect();
  await vi.advanceTimersByTimeAsync(100);
  expect(heard).toEqual(['live']);
});

test('a first connection after failed tries asks for everything anew', async () => {
  const { connection, heard } = connected(['refused', 'open']);
  connection.connect();
  await vi.advanceTimersByTimeAsync(600);
  expect(heard).toEqual(['lost', 'live', 'resync']);
});

test('each connection after a lost one asks for everything anew', async () => {
  const { connection, heard } = connected(['ends', 'open']);
  connection.connect();
  await vi.advanceTimersByTimeAsync(600);
  expect(heard).toEqual(['live', 'lost', 'live', 'resync']);
});

test('a try without an answer is given up and made again', async () => {
  const { connection, heard, tries } = connected(['never', 'open']);
  connection.connect();
  await vi.advanceTimersByTimeAsync(9_900);
  expect(tries()).toBe(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(tries()).toBe(2);
  expect(heard).toEqual(['lost', 'live', 'resync']);
});

test('trying now works while a try hangs, and not more often than once a second', async () => {
  const { connection, heard, tries } = connected(['never', 'open']);
  connection.connect();
  connection.connect();
  expect(tries()).toBe(1);
  await vi.advanceTimersByTimeAsync(2_000);
  connection.connect();
  expect(tries()).toBe(2);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(heard).toEqual(['live', 'resync']);
  expect(tries()).toBe(2);
});
