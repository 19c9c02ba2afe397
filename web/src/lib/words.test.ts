import { expect, test } from 'vitest';
import { attemptWords, linkOf, plural, refusalWords, statusWord, visible, webAddress } from './words.ts';

test('only addresses of the web can be followed', () => {
  expect(webAddress('https://wiki.example/runbook')).toBe('https://wiki.example/runbook');
  expect(webAddress('javascript:alert(1)')).toBeNull();
  expect(webAddress(' JAVASCRIPT:alert(1)')).toBeNull();
  expect(webAddress('data:text/html,x')).toBeNull();
  expect(webAddress('not an address')).toBeNull();
  expect(webAddress(null)).toBeNull();
});

test('an open incident of which nobody hears does not ring', () => {
  const open = { status: 'triggered', urgency: 'high', suppressed: null, hold: null, paged_at: null } as const;
  const hold = { until: '2026-11-23T07:00:02.000Z', why: 'A supervisor may restart it' };
  expect(statusWord(open)).toBe('Ringing');
  expect(statusWord({ ...open, suppressed: 'muted' })).toBe('Silenced');
  expect(statusWord({ ...open, hold })).toBe('Held back');
  expect(statusWord({ ...open, hold, paged_at: '2026-11-23T07:00:00.000Z' })).toBe('Ringing');
  expect(statusWord({ ...open, urgency: 'low' })).toBe('Not urgent');
  expect(statusWord({ ...open, urgency: 'low', paged_at: '2026-11-23T07:00:00.000Z' })).toBe('Ringing');
  expect(statusWord({ ...open, status: 'resolved', suppressed: 'muted' })).toBe('Resolved');
});

test('a snooze and a merge have words of their own', () => {
  const quiet = { urgency: 'high', suppressed: null, hold: null, paged_at: '2026-11-23T07:00:00.000Z' } as const;
  expect(statusWord({ ...quiet, status: 'acknowledged', snoozed_until: '2026-11-23T08:00:00.000Z' })).toBe('Snoozed');
  expect(statusWord({ ...quiet, status: 'triggered', snoozed_until: '2026-11-23T08:00:00.000Z' })).toBe('Ringing');
  expect(statusWord({ ...quiet, status: 'resolved', merged_into: 12 })).toBe('Merged into #12');
});

test('characters that hide or turn text are written out, and no others', () => {
  expect(visible('GET /a\u202Egnp.exe\u0000')).toBe('GET /a⟨U+202E⟩gnp.exe⟨U+0000⟩');
  expect(visible('line\n\tخادم 林 é')).toBe('line\n\tخادم 林 é');
});

test('only a text that is nothing but an address of the web becomes a link', () => {
  expect(linkOf('https://wiki.example.org/a?b=c')).toBe('https://wiki.example.org/a?b=c');
  for (const text of ['javascript:alert(1)', 'see https://example.org', 'https://a b', 'https://a\nb', 'https://a\u202Eb', 'data:text/html,x', '//x', '']) {
    expect(linkOf(text)).toBe(null);
  }
});

test('one is not many', () => {
  expect(plural(1, 'request')).toBe('1 request');
  expect(plural(1234, 'request')).toBe('1,234 requests');
});

test('a refusal says nothing twice', () => {
  expect(refusalWords({ message: 'until: it has to be after from', reasons: ['until: it has to be after from'] })).toEqual({ words: 'until: it has to be after from', reasons: [] });
  expect(refusalWords({ message: 'no name; no level', reasons: ['no name', 'no level'] })).toEqual({ words: 'This was refused for several reasons:', reasons: ['no name', 'no level'] });
  expect(refusalWords({ message: 'The password is too short.', reasons: ['password: at least 12 characters'] })).toEqual({ words: 'The password is too short.', reasons: ['password: at least 12 characters'] });
  expect(refusalWords({ message: 'The disk is full.', reasons: [] })).toEqual({ words: 'The disk is full.', reasons: [] });
});

test('what was not sent did not fail', () => {
  expect(attemptWords({ outcome: null, not_sent: false })).toBe('Under way');
  expect(attemptWords({ outcome: 'failed', not_sent: false })).toBe('Failed');
  expect(attemptWords({ outcome: 'failed', not_sent: true })).toBe('Not sent');
});
