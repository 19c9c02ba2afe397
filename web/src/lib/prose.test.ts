import { expect, test } from 'vitest';
import { piecesOf } from './prose.ts';

const check = (sentence: string, instants: string[]): void => {
  const pieces = piecesOf(sentence);
  expect(pieces.flatMap((each) => ('at' in each ? [each.at] : []))).toEqual(instants);
  expect(pieces.map((each) => ('at' in each ? each.at : each.text)).join('')).toBe(sentence);
};

test('the instants of a sentence are found, whatever stands around them', () => {
  check('Ada was paged at 2026-11-23T07:12:58.123Z: Level 1.', ['2026-11-23T07:12:58.123Z']);
  check('At 2026-11-23T07:12:58Z it was put off until 2026-11-23T09:00:00+01:00, because it can wait.', ['2026-11-23T07:12:58Z', '2026-11-23T09:00:00+01:00']);
  check('muted (until 2026-11-23T07:12Z)', ['2026-11-23T07:12Z']);
  check('2026-11-23T07:12:58Z', ['2026-11-23T07:12:58Z']);
});

test('what is no instant stays text', () => {
  check('', []);
  check('on 2026-11-23, at 07:12, build 2026-11-23T07', []);
  check('from Mon 2026-11-23 09:00 until Mon 2026-11-23 10:00 (Europe/Berlin)', []);
  check('2026-13-45T99:99:99Z is no time', []);
  check('https://example.org/?from=2026-11-23T07:12:58Z and backup-2026-11-23T07:12:58Z and 2026-11-23T07:12:58Z/P1D', []);
});

test('what is quoted from outside keeps its own words', () => {
  check('It was opened at 2026-11-23T07:12:58Z because “Job of 2026-11-22T00:00:00Z failed”.', ['2026-11-23T07:12:58Z']);
});
