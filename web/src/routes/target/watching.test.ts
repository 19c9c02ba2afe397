import { expect, test } from 'vitest';
import type { Check } from '../../lib/api/index.ts';
import { hindrances } from './watching.ts';

const check = (over: Partial<Check>): Check => ({ name: 'watch', state: 'warn', detail: 'watching this machine is switched off', fix: 'set enabled = true under [watch]', snippet: null, ...over });
const of = (...checks: Check[]) => hindrances({ able_to_page: true, checks });

test('what keeps servers from being found is told with what to do about it', () => {
  expect(of(check({}))).toEqual(['Watching this machine is switched off. Set enabled = true under [watch].']);
  expect(of(check({ state: 'fail', detail: 'the agent is not running', fix: null }))).toEqual(['The agent is not running.']);
});

test('that somebody switched it off is told, though it is no fault', () => {
  const off = check({ name: 'watch off', state: 'ok', detail: 'this machine is not watched, switched off by enabled = false', fix: null });
  expect(of(off)).toEqual(['This machine is not watched, switched off by enabled = false.']);
});

test('nothing is told while servers are looked for, nor of other findings', () => {
  expect(of(check({ state: 'ok', detail: 'the agent runs and sees all there is', fix: null }))).toEqual([]);
  expect(of(check({ name: 'disk' }))).toEqual([]);
  expect(of()).toEqual([]);
});
