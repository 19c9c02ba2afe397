import { describe, expect, test } from 'vitest';
import { match, safeNext } from './router.svelte.ts';

describe('a path', () => {
  const patterns = ['/', '/incidents/:id', '/settings/mail'];
  const check = (path: string, expected: unknown): void => expect(match(patterns, path)).toEqual(expected);
  test('names a screen and its parameters', () => {
    check('/', { name: '/', params: {} });
    check('', { name: '/', params: {} });
    check('/incidents/42/', { name: '/incidents/:id', params: { id: '42' } });
    check('/incidents/a%2Fb', { name: '/incidents/:id', params: { id: 'a/b' } });
  });
  test('that names nothing is nothing', () => {
    check('/incidents', null);
    check('/settings/mail/extra', null);
  });
  test('with broken escapes does not throw', () => {
    check('/incidents/%E0%A4%A', { name: '/incidents/:id', params: { id: '%E0%A4%A' } });
  });
});

describe('the place after signing in', () => {
  const check = (next: string | null, expected: string): void => expect(safeNext(next)).toBe(expected);
  test('stays inside the application', () => {
    check('/incidents/42', '/incidents/42');
    check(null, '/');
    check('https://elsewhere.example/', '/');
    check('//elsewhere.example/', '/');
    check('/\\elsewhere.example', '/');
    check('javascript:alert(1)', '/');
  });
});
