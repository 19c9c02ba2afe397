import { expect, test } from 'vitest';
import { lastResort } from './last-resort.ts';

const ADA = { id: 'Q1', name: 'Ada' };
const BOB = { id: 'Q2', name: 'Bob' };

test('after all levels nobody has acknowledged, and the last resort is named', () => {
  expect(lastResort({ level: 2, recipients: [ADA, BOB] }, [])).toEqual({
    why: 'The policy is through and nobody has acknowledged.',
    names: 'Ada, Bob',
  });
});

test('where no level was reached, nobody is said to have been called before', () => {
  expect(lastResort({ level: 0, recipients: [ADA] }, []).why).toBe('Nobody who was to be paged first can be reached.');
});

test('with nobody to be reached at all, no name is made up', () => {
  expect(lastResort({ level: 0, recipients: [] }, []).names).toBe(null);
});

test('of an incident that was given to somebody, no policy is blamed', () => {
  expect(lastResort({ level: 0, recipients: [ADA] }, [BOB]).why).toBe('Bob, to whom it was given, did not acknowledge or cannot be reached.');
});
