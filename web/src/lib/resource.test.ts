import { expect, test } from 'vitest';
import { Resource } from './resource.svelte.ts';

/** A resource whose loads end by hand; `answers` holds one function for each load that began. */
function byHand() {
  const answers: ((text: string) => void)[] = [];
  const signals: AbortSignal[] = [];
  const made = new Resource<string>((signal) => {
    signals.push(signal);
    return new Promise((resolve) => answers.push(resolve));
  });
  return { made, answers, signals };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('changes that come faster than the answer do not keep it from being shown', async () => {
  const { made, answers, signals } = byHand();
  void made.refresh();
  for (let change = 0; change < 5; change += 1) void made.refresh();
  expect(answers.length).toBe(1);
  expect(signals[0]?.aborted).toBe(false);
  answers[0]?.('first');
  await settled();
  expect(made.data).toBe('first');
  expect(answers.length).toBe(2);
  answers[1]?.('second');
  await settled();
  expect(made.data).toBe('second');
  expect(made.loading).toBe(false);
  expect(answers.length).toBe(2);
});

test('who asks while a load runs hears of the load after it', async () => {
  const { made, answers } = byHand();
  let heard = false;
  void made.refresh();
  void made.refresh().then(() => (heard = true));
  answers[0]?.('before');
  await settled();
  expect(heard).toBe(false);
  answers[1]?.('after');
  await settled();
  expect(heard).toBe(true);
});

test('another key gives the load up and its answer is dropped', async () => {
  const { made, answers, signals } = byHand();
  void made.refresh();
  void made.refresh();
  made.clear();
  expect(signals[0]?.aborted).toBe(true);
  void made.refresh();
  answers[0]?.('of the old key');
  await settled();
  expect(made.data).toBe(null);
  expect(answers.length).toBe(2);
  answers[1]?.('of the new key');
  await settled();
  expect(made.data).toBe('of the new key');
});

test('a load that failed is told and does not stop the next', async () => {
  let tries = 0;
  const made = new Resource<string>(() => ((tries += 1) === 1 ? Promise.reject(new Error('broken')) : Promise.resolve('fine')));
  await made.refresh();
  expect(made.error?.message).toContain('broken');
  await made.refresh();
  expect([made.data, made.error]).toEqual(['fine', null]);
});
