import { expect, test } from 'vitest';
import type { Condition } from '../../lib/api/index.ts';
import { officeHours } from '../../lib/hours.ts';
import { actionWords, conditionOf, conditionWords, rowsOf } from './condition.ts';

const source: Condition = { field: 'source', op: 'starts_with', text: 'test-' };
const stage: Condition = { field: 'details.stage', op: 'exists' };
const office: Condition = { hours: officeHours('UTC') };
const FLAT: Condition[] = [{}, source, stage, office, { not: source }, { all: [source, stage] }, { any: [source, { not: office }] }];
const DEEP: Condition[] = [{ all: [source, { any: [stage, office] }] }, { not: { not: source } }, { not: { all: [source] } }, { any: [] }];

test('what rows can show comes back from them as it was', () => {
  for (const when of FLAT) {
    const rows = rowsOf(when);
    expect(rows).not.toBeNull();
    expect(conditionOf(rows!)).toEqual(when);
  }
});

test('the server’s way of writing “always” is no row', () => expect(rowsOf({ all: [] })).toEqual({ join: 'all', rows: [] }));

test('what stands deeper is not shown as rows, so that nothing of it is lost', () => {
  for (const when of DEEP) expect(rowsOf(when)).toBeNull();
});

test('an operator without a text sends none', () => {
  expect(conditionOf({ join: 'all', rows: [{ kind: 'field', not: false, field: 'group', op: 'exists', text: 'left over' }] })).toEqual({ field: 'group', op: 'exists' });
});

test('conditions are told in words, with brackets only where they are needed', () => {
  expect([{}, { all: [] }, source, { not: stage }, { any: [source, { all: [stage, office] }] }].map(conditionWords)).toEqual([
    'every alert',
    'every alert',
    'source starts with “test-”',
    'not details.stage is there',
    'source starts with “test-” or (details.stage is there and it is Mon to Fri 09:00 to 17:00 (UTC))',
  ]);
});

test('actions are told in words', () => {
  expect(actionWords({ do: 'pause', seconds: 120 }, () => '')).toBe('pages only if it still fails after 2 minutes');
  expect(actionWords({ do: 'route', service_id: 'Q1' }, (id) => `the service ${id}`)).toBe('goes to the service Q1');
});
