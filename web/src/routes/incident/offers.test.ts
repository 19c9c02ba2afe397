import { expect, test } from 'vitest';
import { offersOf } from './offers.ts';

type Facts = Parameters<typeof offersOf>[0];

const RINGING: Facts = {
  status: 'triggered',
  urgency: 'high',
  suppressed: null,
  snoozed_until: null,
  acknowledgement_ends_at: null,
  alerts: [{ status: 'firing', source: 'events_v2' }],
  paging: { acknowledged_by: [] },
};
const check = (given: Partial<Facts>, expected: string, who: string | null = 'ada'): void =>
  expect([...offersOf({ ...RINGING, ...given }, who)].sort().join(' ')).toBe(expected);

test('who may only look is offered nothing', () => check({}, '', null));

test('what rings is offered everything but what is for later', () =>
  check({}, 'acknowledge escalate help lower merge note priority reassign resolve snooze'));

test('what Tocsin itself sees failing is not resolved by hand', () => {
  for (const source of ['monitor', 'rule', 'heartbeat'] as const) {
    expect(offersOf({ ...RINGING, alerts: [{ status: 'firing', source }] }, 'ada').has('resolve')).toBe(false);
    expect(offersOf({ ...RINGING, alerts: [{ status: 'recovered', source }] }, 'ada').has('resolve')).toBe(true);
  }
});

test('a snooze is ended, another end of an acknowledgement is put off', () => {
  const until = '2026-11-23T08:00:00.000Z';
  const taken = { status: 'acknowledged' as const, acknowledgement_ends_at: until };
  check({ ...taken, snoozed_until: until }, 'end-snooze escalate help lower merge note priority reassign resolve snooze');
  check(taken, 'acknowledge-again escalate help lower merge note priority reassign resolve snooze');
});

test('where each must acknowledge, whoever did is not asked again', () => {
  const paging = { acknowledged_by: [{ id: 'ada', name: 'Ada' }] };
  expect(offersOf({ ...RINGING, paging }, 'ada').has('acknowledge')).toBe(false);
  expect(offersOf({ ...RINGING, paging }, 'bob').has('acknowledge')).toBe(true);
});

test('nobody is paged further for what is silenced, is not urgent, or is healthy again', () => {
  check({ suppressed: 'muted' }, 'acknowledge lower merge note priority reassign resolve snooze');
  check({ urgency: 'low' }, 'acknowledge help merge note priority raise reassign resolve snooze');
  check({ alerts: [{ status: 'recovered', source: 'monitor' }] }, 'acknowledge help lower merge note priority reassign resolve snooze');
  check({ alerts: [] }, 'acknowledge escalate help lower merge note priority reassign resolve snooze');
});

test('what is over can still be written about and ranked', () => check({ status: 'resolved' }, 'note priority'));
