import { expect, test } from 'vitest';
import { standingOf } from './fallback.ts';

const ADA = { id: 'a', name: 'Ada' };
const LIN = { id: 'l', name: 'Lin' };
const KIM = { id: 'k', name: 'Kim' };
const MEI = { id: 'm', name: 'Mei' };
const PEOPLE = [
  { id: 'a', reach_problem: null },
  { id: 'l', reach_problem: 'has no verified contact method' },
  { id: 'k', reach_problem: null },
  { id: 'm', reach_problem: 'can be reached by mail only, and no mail server is set up' },
];
const check = (listed: (typeof ADA)[], tone: string | undefined, words: RegExp = /./): void => {
  const standing = standingOf(listed, PEOPLE);
  expect(standing?.tone).toBe(tone);
  if (standing) expect(standing.words).toMatch(words);
};

test('an empty list is bad, and it is said who is paged in its place', () => check([], 'bad', /^Nobody is on the list: every administrator/));
test('a list that nobody would hear is bad', () => check([LIN], 'bad', /^Nobody on the list can be reached: Lin has no verified contact method\. Every administrator/));
test('who would not hear is named with why', () => check([ADA, LIN, MEI], 'warn', /^Lin has no verified contact method; Mei can be reached by mail only, and no mail server is set up\.$/));
test('somebody who is not known is not counted on', () => check([{ id: 'x', name: 'Gone' }], 'bad'));
test('one person alone is remarked on, and no alarm is made of it', () => check([ADA], '', /one person alone/));
test('of two who would hear nothing is said', () => check([ADA, KIM], undefined));
