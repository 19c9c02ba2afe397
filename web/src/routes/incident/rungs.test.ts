import { expect, test } from 'vitest';
import type { Notification } from '../../lib/api/index.ts';
import { rungsOf } from './rungs.ts';

const ADA = { id: 'Q1', name: 'Ada' };
const BOB = { id: 'Q2', name: 'Bob' };
const page = (over: Partial<Notification>): Notification => ({ id: 'QN', user: ADA, channel: 'ntfy', label: 'Phone', level: 1, purpose: 'page', state: 'delivered', due_at: '2026-11-23T07:12:58.000Z', attempts: [], why: '', ...over });

test('who was given an incident is on no level of the policy', () => {
  const rungs = rungsOf([page({ user: BOB, level: null }), page({ level: 2 }), page({})], [BOB]);
  expect(rungs.map((each) => each.title)).toEqual(['Level 1', 'Level 2', 'Whom it was given to']);
  expect(rungs.at(-1)?.pages.map((each) => each.user)).toEqual([BOB]);
});

test('the last resort and what is only told come last, and tests not at all', () => {
  const rungs = rungsOf([page({ level: null }), page({ level: null, user: BOB, purpose: 'notice' }), page({ purpose: 'request', level: null }), page({ purpose: 'test', level: null })], [BOB]);
  expect(rungs.map((each) => [each.title, each.pages.length])).toEqual([
    ['Asked to help', 1],
    ['Last resort and notices', 2],
  ]);
});
