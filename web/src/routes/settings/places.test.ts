import { expect, test } from 'vitest';
import type { Channels, EmailChannel, ProviderAccount, ProviderName } from '../../lib/api/index.ts';
import { accountRows, furtherMail, hearing, placeOf, placeWord, standing } from './places.ts';

const account = (provider: ProviderName, place: number, configured = true): ProviderAccount => ({ provider, place, configured, base_url: null, account_id: null, from: null, has_token: configured, has_listener_token: false, public_key: null, state: 'unknown', detail: null });
const server = (place: number, configured = true): EmailChannel => ({ place, configured, host: null, port: null, from: null, tls: null, username: null, has_password: false, state: 'unknown', detail: null });
const channels = (over: Partial<Channels>): Channels => ({ email: server(1), accounts: [account('twilio', 1), account('slack', 1)], further_email: [], further_accounts: [], ...over });

const rows = (found: Channels, mayAdd = true): string[] => accountRows(found, mayAdd).map((each) => `${each.provider} ${placeOf(each)}${each.configured ? '' : ' empty'}`);

test('an account may be followed by two that take over', () => {
  expect(rows(channels({}))).toEqual(['twilio 1', 'twilio 2 empty', 'slack 1']);
  expect(rows(channels({ further_accounts: [account('twilio', 2)] }))).toEqual(['twilio 1', 'twilio 2', 'twilio 3 empty', 'slack 1']);
  expect(rows(channels({ further_accounts: [account('twilio', 3)] }))).toEqual(['twilio 1', 'twilio 2 empty', 'twilio 3', 'slack 1']);
  expect(rows(channels({ further_accounts: [account('twilio', 2), account('twilio', 3)] }))).toEqual(['twilio 1', 'twilio 2', 'twilio 3', 'slack 1']);
});

test('nothing is added where nothing may be: by others, before the first, at an older server', () => {
  expect(rows(channels({}), false)).toEqual(['twilio 1', 'slack 1']);
  expect(rows(channels({ accounts: [account('twilio', 1, false)] }))).toEqual(['twilio 1 empty']);
  const { further_accounts: _, ...older } = channels({});
  expect(rows(older)).toEqual(['twilio 1', 'slack 1']);
});

test('a mail server may be followed by two that take over', () => {
  const places = (found: Channels, mayAdd = true): number[] => furtherMail(found, mayAdd).map(placeOf);
  expect(places(channels({}))).toEqual([2]);
  expect(places(channels({}), false)).toEqual([]);
  expect(places(channels({ further_email: [server(2)] }))).toEqual([2, 3]);
  expect(places(channels({ further_email: [server(2), server(3)] }))).toEqual([2, 3]);
  expect(places(channels({ email: server(1, false) }))).toEqual([]);
});

test('a place has a word, and an older server knows the first alone', () => {
  expect([1, 2, 3].map(placeWord)).toEqual(['First', 'Second', 'Third']);
  expect(placeOf({})).toBe(1);
});

test('whether buttons are heard is said where somebody listens', () => {
  const since = '2026-11-23T07:00:00.000Z';
  expect(hearing({ buttons: { heard: true, since, detail: null } })).toEqual({ words: 'hears buttons', tone: 'good' });
  expect(hearing({ buttons: { heard: false, since, detail: 'invalid_auth' } })).toEqual({ words: 'hears no buttons', tone: 'bad' });
  expect([hearing({ buttons: null }), hearing({})]).toEqual([null, null]);
});

test('how one stands is said in few words', () => {
  expect(standing({ configured: false, state: 'failing' }).words).toBe('not set up');
  expect(standing({ configured: true, state: 'failing' })).toEqual({ words: 'fails', tone: 'bad' });
  expect(standing({ configured: true, state: 'ok' }).tone).toBe('good');
});
