import { afterEach, expect, test, vi } from 'vitest';
import { lost, remember } from './push.ts';

/** A browser with this subscription; with none, the push service has ended it. */
function browser(endpoint: string | null): void {
  const getSubscription = (): Promise<{ endpoint: string } | null> => Promise.resolve(endpoint === null ? null : { endpoint });
  vi.stubGlobal('navigator', { serviceWorker: { getRegistration: () => Promise.resolve({ pushManager: { getSubscription } }) } });
}

function start(): void {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) });
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('PushManager', class {});
  vi.stubGlobal('Notification', class {});
}

afterEach(() => vi.unstubAllGlobals());

test('a browser knows when it has no more what was given away', async () => {
  start();
  browser('https://push.example/1');
  expect(await lost()).toBeNull();
  remember('QPHONE', '{"endpoint":"https://push.example/1","keys":{}}');
  expect(await lost()).toBeNull();
  for (const endpoint of ['https://push.example/2', null]) {
    browser(endpoint);
    expect(await lost()).toBe('QPHONE');
  }
  remember('QPHONE', '{"endpoint":"https://push.example/3"}');
  browser('https://push.example/3');
  expect(await lost()).toBeNull();
});

test('what was kept by somebody else is nothing', async () => {
  start();
  browser(null);
  for (const text of ['', '{', '7', '{"name":1}']) {
    localStorage.setItem('tocsin.push', text);
    expect(await lost()).toBeNull();
  }
  remember('QPHONE', 'no subscription');
  expect(await lost()).toBeNull();
});
