import { expect, test } from 'vitest';
import { plural, webAddress } from './words.ts';

test('only addresses of the web can be followed', () => {
  expect(webAddress('https://wiki.example/runbook')).toBe('https://wiki.example/runbook');
  expect(webAddress('javascript:alert(1)')).toBeNull();
  expect(webAddress(' JAVASCRIPT:alert(1)')).toBeNull();
  expect(webAddress('data:text/html,x')).toBeNull();
  expect(webAddress('not an address')).toBeNull();
  expect(webAddress(null)).toBeNull();
});

test('one is not many', () => {
  expect(plural(1, 'request')).toBe('1 request');
  expect(plural(1234, 'request')).toBe('1,234 requests');
});
