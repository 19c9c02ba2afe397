import { expect, test } from 'vitest';
import { fieldsOf, trialOf } from './trial.ts';

const CAME = { title: 'Disk is full', summary: 'on db-1', severity: 'error', source: 'events_v2', details: [{ name: 'class', value: 'disk' }] } as const;

test('an alert that came is tried as it was', () => {
  expect(trialOf({ ...CAME, details: [...CAME.details] }, 'Q1')).toEqual({ summary: 'Disk is full', severity: 'error', service_id: 'Q1', source: 'db-1', details: { class: 'disk' } });
  expect(trialOf({ ...CAME, details: [], summary: 'Something else' }, 'Q1')).not.toHaveProperty('source');
});

test('what Tocsin sees itself is not tried as if it came from outside', () => expect(trialOf({ ...CAME, details: [], source: 'monitor' }, 'Q1')).toBeNull());

test('further fields are typed line by line', () => {
  expect(fieldsOf('class = disk\n\n url=https://x/?a=b\n=nameless\nflag')).toEqual({ class: 'disk', url: 'https://x/?a=b', flag: '' });
});
