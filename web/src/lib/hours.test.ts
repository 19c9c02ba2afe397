import { expect, test } from 'vitest';
import { daysWords, hoursWords, officeHours } from './hours.ts';

test('days in a row are told by the first and the last, others one by one', () => {
  expect(daysWords(['monday', 'tuesday', 'wednesday', 'thursday', 'friday'])).toBe('Mon to Fri');
  expect(daysWords(['sunday', 'saturday'])).toBe('Sat, Sun');
  expect(daysWords(['monday', 'wednesday', 'thursday', 'friday', 'sunday'])).toBe('Mon, Wed to Fri, Sun');
  expect(daysWords([])).toBe('every day');
});

test('hours name their zone', () => expect(hoursWords(officeHours('Europe/Paris'))).toBe('Mon to Fri 09:00 to 17:00 (Europe/Paris)'));
