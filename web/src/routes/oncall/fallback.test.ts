import { expect, test } from 'vitest';
import { standingOf } from './fallback.ts';

const ADA = { id: 'a', name: 'Ada' };
const LIN = { id: 'l', name: 'Lin' };
const KIM = { id: 'k', name: 'Kim' };
const PEOPLE = [
  { id: 'a', reachable: true },
  { id: 'l', reachable: false },
  { id: 'k', reachable: true },
];
const check = (listed: (typeof ADA)[], tone: string | undefined, words: RegExp = /./): void => {
  const standing = standingOf(listed, PEOPLE);
  expect(standing?.tone).toBe(tone);
  if (standing) expect(standing.words).toMatch(words);
};

test('an empty list is bad, and it is said who is paged in its place', () => check([], 'bad', /^Nobody is on the list: every administrator/));
test('a list that nobody would hear is bad', () => check([LIN], 'bad', /^Nobody on the list can be reached/));
test('who would not hear is named', () => check([ADA, LIN], 'warn', /^Lin cannot be reached/));
test('somebody who is not known is not counted on', () => check([{ id: 'x', name: 'Gone' }], 'bad'));
test('one person alone is remarked on, and no alarm is made of it', () => check([ADA], '', /one person alone/));
test('of two who would hear nothing is said', () => check([ADA, KIM], undefined));
