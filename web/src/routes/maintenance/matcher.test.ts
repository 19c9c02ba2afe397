import { expect, test } from 'vitest';
import { matcherText } from './matcher.ts';

test('a condition on a label is told as amtool writes it', () => {
  expect(matcherText({ name: 'job', operator: '=~', value: 'web.*' })).toBe('job=~"web.*"');
  expect(matcherText({ name: 'stage', operator: '!=', value: '' })).toBe('stage!=""');
  expect(matcherText({ name: 'path', operator: '=', value: 'a "b"\n' })).toBe('path="a \\"b\\"\\n"');
});

test('what would deceive the eye is written out', () => {
  expect(matcherText({ name: 'a\u202eb', operator: '=', value: '\u200b' })).toBe('a⟨U+202E⟩b="⟨U+200B⟩"');
});
