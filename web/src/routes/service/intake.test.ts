import { expect, test } from 'vitest';
import { officeHours } from '../../lib/hours.ts';
import { groupingWords, urgencyWords } from './intake.ts';

test('support hours are told with what holds in them, outside, and when they begin', () => {
  expect(urgencyWords({ by: 'support_hours', during: 'high', outside: 'low', raise: true, hours: officeHours('UTC') })).toBe(
    'Mon to Fri 09:00 to 17:00 (UTC): every alert pages. Else: no alert pages. What is open and unanswered is raised when the hours begin.',
  );
});

test('grouping is told by what alerts share', () => {
  expect(groupingWords({ by: 'time', minutes: 90, rolling: true })).toBe('Alerts within 90 minutes of the last one share an incident.');
  expect(groupingWords({ by: 'content', fields: ['component', 'details.region'] })).toBe('Alerts with the same component and details.region share an incident.');
});
