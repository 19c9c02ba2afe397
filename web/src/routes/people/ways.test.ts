import { expect, test } from 'vitest';
import type { Channels, ProviderAccount, ProviderName } from '../../lib/api/index.ts';
import { kindsOf, missingFor, WAYS } from './ways.ts';

const account = (provider: ProviderName, configured: boolean): ProviderAccount => ({ provider, configured, base_url: null, account_id: null, from: null, has_token: configured, has_listener_token: false, public_key: null, state: 'unknown', detail: null });
const email = (configured: boolean): Channels['email'] => ({ configured, host: null, port: null, from: null, tls: null, username: null, has_password: false, state: 'unknown', detail: null });

test('a server without providers is offered the three kinds that need none', () => {
  expect(kindsOf(null)).toEqual(['email', 'ntfy', 'webhook']);
  expect(kindsOf({ email: email(true) })).toEqual(['email', 'ntfy', 'webhook']);
  expect([...kindsOf({ email: email(true), accounts: [] })].sort()).toEqual(Object.keys(WAYS).sort());
});

test('what is not set up yet is said before it is relied on', () => {
  const channels: Channels = { email: email(false), accounts: [account('twilio', true), account('telegram', false)] };
  expect(missingFor('email', channels, '')).toMatch(/mail server/);
  expect(missingFor('sms', channels, '')).toBeNull();
  expect(missingFor('telegram', channels, '')).toMatch(/Telegram/);
  expect(missingFor('ntfy', channels, '')).toBeNull();
  expect(missingFor('email', null, '')).toBeNull();
});

test('only a member of Slack needs the account, a webhook does not', () => {
  const channels: Channels = { email: email(true), accounts: [] };
  expect(missingFor('slack', channels, 'U024BE7LH')).toMatch(/Slack/);
  expect(missingFor('slack', channels, 'https://hooks.example.org/services/x')).toBeNull();
});
