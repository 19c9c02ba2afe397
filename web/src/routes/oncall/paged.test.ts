import { expect, test } from 'vitest';
import type { PolicyLevel, Schedule, Team, User } from '../../lib/api/index.ts';
import { followers, pagedNow } from './paged.ts';

const user = (id: string, reachable = true): User => ({ id, name: id, role: 'responder', email: '', contact_methods: [], notification_rules: [], on_call: false, reachable, reach_problem: reachable ? null : 'can be reached by mail only, and no mail server is set up' });
const schedule = (id: string, on: string | null): Schedule => ({ id, name: `${id} turns`, time_zone: 'UTC', layers: [], overrides: [], temporary: [], swaps: [], people: [], on_call_now: on ? { id: on, name: on } : null, next_handoff_at: null, next: null });
const level = (delay_minutes: number, ...targets: [kind: 'user' | 'schedule' | 'team', id: string][]): PolicyLevel => ({ delay_minutes, targets: targets.map(([kind, id]) => ({ kind, id })) });
const PEOPLE = [user('ada'), user('lin', false)];
const TEAMS: Team[] = [
  { id: 'web', name: 'web team', members: [{ id: 'ada', name: 'ada' }, { id: 'lin', name: 'lin' }] },
  { id: 'nobody', name: 'empty team', members: [] },
];
const TURNS = [schedule('day', 'ada'), schedule('night', null)];

test('each level comes when those before it had their time, and one of nobody takes none', () => {
  const levels = pagedNow([level(5, ['schedule', 'day']), level(10, ['schedule', 'night'], ['user', 'lin']), level(2, ['user', 'ada']), level(1, ['user', 'gone'])], PEOPLE, TURNS, TEAMS);
  expect(levels.map((each) => [each.afterMinutes, each.skipped])).toEqual([[0, false], [5, true], [5, false], [7, true]]);
});

test('a target that reaches nobody says why, and one person who can be reached keeps the level', () => {
  const [mixed] = pagedNow([level(5, ['user', 'lin'], ['schedule', 'day'], ['schedule', 'night'], ['schedule', 'removed'])], PEOPLE, TURNS, TEAMS);
  expect(mixed!.skipped).toBe(false);
  expect(mixed!.targets[0]!.problem).toBe('Can be reached by mail only, and no mail server is set up.');
  expect(mixed!.targets.map((each) => [each.name, each.via, each.problem !== null])).toEqual([['lin', null, true], ['ada', 'day turns', false], [null, 'night turns', true], [null, null, true]]);
});

test('a team stands for its people, one of nobody says so, and what a level asks for is kept', () => {
  const [both, empty] = pagedNow([{ ...level(5, ['team', 'web']), round_robin: true, each_must_acknowledge: true }, level(5, ['team', 'nobody'], ['team', 'removed'])], PEOPLE, TURNS, TEAMS);
  expect(both!.targets.map((each) => [each.name, each.via, each.problem !== null])).toEqual([['ada', 'web team', false], ['lin', 'web team', true]]);
  expect([both!.skipped, both!.inTurn, both!.each]).toEqual([false, true, true]);
  expect([empty!.skipped, empty!.inTurn, empty!.each]).toEqual([true, false, false]);
  expect(empty!.targets.map((each) => each.via)).toEqual(['empty team', null]);
});

test('a service that names no policy follows the default one', () => {
  const services = [{ name: 'own', escalation_policy_id: 'web' }, { name: 'none', escalation_policy_id: null }, { name: 'other', escalation_policy_id: 'shop' }];
  const names = (policy: { id: string; default?: boolean }): string[] => followers(services, policy).map((each) => each.name);
  expect(names({ id: 'web', default: true })).toEqual(['own', 'none']);
  expect(names({ id: 'shop', default: false })).toEqual(['other']);
  expect(names({ id: 'shop' })).toEqual(['other']);
});
