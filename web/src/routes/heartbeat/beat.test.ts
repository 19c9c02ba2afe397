import { expect, test } from 'vitest';
import { beatOf, callLines, cronTime } from './beat.ts';

type Facts = Parameters<typeof beatOf>[0];

const CALLED = '2026-11-23T03:00:00.000Z';
const NOW = Date.parse('2026-11-23T12:00:00.000Z');
const UP: Facts = { status: 'up', every_seconds: 86_400, last_call_at: CALLED, started_at: null, failed_at: null };
const check = (given: Partial<Facts>, word: string, tone: string, now = NOW): void => {
  const found = beatOf({ ...UP, ...given }, now);
  expect([found.word, found.tone]).toEqual([word, tone]);
};

test('a job that called is on time until its next call is due, then late until it is missed', () => {
  check({}, 'on time', 'good');
  check({}, 'late', 'warn', Date.parse('2026-11-24T03:00:01.000Z'));
  expect(beatOf(UP, NOW).expectedAt).toBe(Date.parse('2026-11-24T03:00:00.000Z'));
});

test('a job that said that it begins runs, also when it is late', () => check({ started_at: CALLED }, 'runs', 'good', Date.parse('2026-11-24T03:00:01.000Z')));

test('of a job that is down it is told whether it said so itself', () => {
  check({ status: 'down' }, 'did not call', 'bad');
  check({ status: 'down', failed_at: '2026-11-23T11:00:00.000Z' }, 'says that it failed', 'bad');
  check({ status: 'down', failed_at: '2026-11-22T11:00:00.000Z' }, 'did not call', 'bad');
});

test('nothing is expected of a job that never called', () => {
  check({ status: 'new', last_call_at: null }, 'never called yet', '');
  expect(beatOf({ ...UP, status: 'new', last_call_at: null }, NOW).expectedAt).toBeNull();
});

test('cron comes as often as the job is expected, where it has such a rhythm', () => {
  expect([60, 300, 3_600, 21_600, 86_400, 604_800].map(cronTime)).toEqual(['* * * * *', '*/5 * * * *', '0 * * * *', '0 */6 * * *', '0 3 * * *', '0 3 * * 0']);
  expect([30, 420, 25_200, 172_800].map(cronTime)).toEqual([null, null, null, null]);
  expect(callLines('https://x/hb/1', 420).map((each) => each.label)).toEqual(['At the end of a script', 'With word of its beginning and of a failure']);
});
