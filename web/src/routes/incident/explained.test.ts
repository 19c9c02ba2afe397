import { expect, test } from 'vitest';
import type { Notification } from '../../lib/api/index.ts';
import { explainable, explainedFirst, question } from './explained.ts';

type Message = Pick<Notification, 'id' | 'user' | 'purpose' | 'state'>;
const message = (id: string, who: string, over: Partial<Message> = {}): Message => ({ id, user: { id: who, name: who }, purpose: 'page', state: 'delivered', ...over });
const check = (messages: Message[], me: string | null, expected: string | null): void => expect(explainedFirst(messages, me)?.id ?? null).toBe(expected);

test('whoever was paged is told about their latest page', () => {
  check([message('a', 'bea'), message('b', 'ada'), message('c', 'ada'), message('d', 'bea')], 'ada', 'c');
  check([message('a', 'bea'), message('b', 'ada', { state: 'failed' })], 'ada', 'b');
  check([message('a', 'bea'), message('b', 'ada', { purpose: 'request' })], 'ada', 'b');
});

test('what is still to come, was called off or woke nobody is not their latest page', () => {
  check([message('a', 'ada'), message('b', 'ada', { state: 'planned' }), message('c', 'ada', { state: 'cancelled' }), message('d', 'ada', { purpose: 'resolved' })], 'ada', 'a');
});

test('whoever was not paged is told about the first page', () => {
  check([message('n', 'cy', { purpose: 'notice' }), message('a', 'bea'), message('b', 'dan')], 'ada', 'a');
  check([message('a', 'bea'), message('b', 'dan')], null, 'a');
  check([message('n', 'cy', { purpose: 'notice' })], 'ada', 'n');
  check([message('a', 'ada', { state: 'planned' })], 'ada', null);
});

test('every message but those to come and tests can be asked about', () => {
  const all = [message('a', 'bea'), message('b', 'ada', { state: 'cancelled' }), message('c', 'ada', { state: 'planned' }), message('d', 'ada', { purpose: 'test' }), message('e', 'ada', { purpose: 'resolved' })];
  expect(explainable(all).map((each) => each.id)).toEqual(['a', 'b', 'e']);
});

test('the question says who, and what they got', () => {
  expect(question(message('a', 'ada'), 'ada')).toBe('Why was I paged?');
  expect(question(message('a', 'Bea'), 'ada')).toBe('Why was Bea paged?');
  expect(question(message('a', 'ada', { purpose: 'request' }), 'ada')).toBe('Why was I asked to help?');
  expect(question(message('a', 'Bea', { purpose: 'resolved' }), 'ada')).toBe('Why was Bea told?');
});
