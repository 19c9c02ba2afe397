import { expect, test } from 'vitest';
import type { Schedule } from '../../lib/api/index.ts';
import { draftOf, inputOf, isComplete, newLayer, newSchedule } from './draft.ts';

const SCHEDULE: Schedule = {
  id: 'QS', name: 'Days', time_zone: 'Europe/Paris', overrides: [], temporary: [], swaps: [], people: [], on_call_now: null, next_handoff_at: null, next: null,
  layers: [
    { start: '2026-10-25T00:30:15.250Z', until: null, time_zone: null, hand_off: null, turn: { every: 1, unit: 'weeks' }, members: ['QA'], restrictions: [] },
    { start: '2026-10-25T01:30:00.000Z', until: '2026-12-01T08:00:00.000Z', time_zone: 'America/New_York', hand_off: '2026-11-23T09:30', turn: { every: 12, unit: 'hours' }, members: ['QA', 'QB'], restrictions: [{ kind: 'daily', from: '22:00', until: '06:00' }] },
  ],
};

test('what was not touched is sent back as it was given, to the millisecond and on the night of a clock change', () => {
  expect(inputOf(draftOf(SCHEDULE))).toEqual({ name: 'Days', time_zone: 'Europe/Paris', layers: SCHEDULE.layers });
});

test('a changed time is read by the clock of its layer', () => {
  const draft = draftOf(SCHEDULE);
  draft.layers[0]!.start = '2026-11-23T09:00';
  draft.layers[1]!.until = '2026-12-24T18:00';
  const layers = inputOf(draft).layers;
  expect(layers[0]!.start).toBe('2026-11-23T08:00:00.000Z');
  expect(layers[1]!.until).toBe('2026-12-24T23:00:00.000Z');
});

test('a new layer begins on Monday at nine and is complete once it has people', () => {
  const layer = newLayer(Date.parse('2026-11-29T23:30:00Z'), 'Europe/Paris');
  expect(layer.start).toBe('2026-11-30T09:00');
  const draft = newSchedule(0, 'UTC');
  expect(isComplete(draft)).toBe(false);
  draft.layers[0]!.members = ['QA'];
  expect(isComplete(draft)).toBe(true);
  draft.layers[0]!.start = '';
  expect(isComplete(draft)).toBe(false);
});
