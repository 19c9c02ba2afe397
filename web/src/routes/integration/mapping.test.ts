import { expect, test } from 'vitest';
import { KIND_NAMES, hasMapping } from './kinds.ts';
import { FIRST_MAPPING, mappingOf, SAMPLES, sampleOf } from './mapping.ts';

test('a mapping is an object or nothing, and what it is instead is said', () => {
  expect(mappingOf(' \n')).toBeNull();
  expect(mappingOf(FIRST_MAPPING)).toHaveProperty('title');
  expect(() => mappingOf('{')).toThrow(/^The mapping is no JSON: /);
  expect(() => mappingOf('[]')).toThrow(/^The mapping is no object/);
  expect(() => mappingOf('null')).toThrow(/^The mapping is no object/);
});

test('a sample is JSON of any shape, but not nothing', () => {
  expect(sampleOf('webhook', '[1]')).toEqual({ body: [1] });
  expect(() => sampleOf('webhook', 'null')).toThrow('The sample is empty.');
  expect(() => sampleOf('grafana', '')).toThrow(/^The sample is no JSON/);
});

test('a mail is sent with the line ends that mails have, each once', () => {
  expect(sampleOf('email', 'Subject: x\r\n\ny')).toEqual({ mail: 'Subject: x\r\n\r\ny' });
});

test('every kind that reads by a mapping has a sample that can be read', () => {
  for (const kind of KIND_NAMES.filter(hasMapping)) expect(() => sampleOf(kind, SAMPLES[kind]), kind).not.toThrow();
});
