import { expect, test } from 'vitest';
import type { Channels, ContactMethod, NotificationRule, ProviderAccount, ProviderName, Urgency } from '../../lib/api/index.ts';
import { inPlaceOf, isUnused, kindsOf, missingFor, notSetUp, WAYS } from './ways.ts';

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

test('one that takes over is enough', () => {
  const channels: Channels = { email: email(false), accounts: [account('twilio', false)], further_email: [email(true)], further_accounts: [account('twilio', true)] };
  expect(missingFor('email', channels, '')).toBeNull();
  expect(missingFor('sms', channels, '')).toBeNull();
});

test('only a member of Slack needs the account, a webhook does not', () => {
  const channels: Channels = { email: email(true), accounts: [] };
  expect(missingFor('slack', channels, 'U024BE7LH')).toMatch(/Slack/);
  expect(missingFor('slack', channels, 'https://hooks.example.org/services/x')).toBeNull();
});

test('a call needs an account that has a number, a text does not', () => {
  const from = (sender: string): Channels => ({ email: email(true), accounts: [{ ...account('twilio', true), from: sender }] });
  expect(missingFor('sms', from('Tocsin'), '')).toBeNull();
  expect(missingFor('voice', from('Tocsin'), '')).toMatch(/number/);
  expect(missingFor('voice', from('+15005550006'), '')).toBeNull();
});

test('a way whose channel is not set up says what is missing', () => {
  expect(notSetUp({ kind: 'email', set_up: false })).toBe('No mail server is set up, so nothing goes by it yet.');
  expect(notSetUp({ kind: 'sms', set_up: false })).toMatch(/^No Twilio account is set up/);
  expect(notSetUp({ kind: 'voice', set_up: false })).toMatch(/^No Twilio account with a number is set up/);
  expect(notSetUp({ kind: 'ntfy', set_up: false })).toMatch(/^This is not set up here/);
  expect(notSetUp({ kind: 'email', set_up: true })).toBeNull();
});

const way = (id: string, verified = true): ContactMethod => ({ id, kind: 'ntfy', label: id, address_hint: '', verified, gone: false, set_up: true, last_result: null });
const rule = (contact_method_id: string, urgency: Urgency = 'high'): NotificationRule => ({ id: contact_method_id, urgency, delay_minutes: 0, contact_method_id });

test('a verified way that no rule names is told from those that are used', () => {
  const contact_methods = [way('a'), way('b'), way('new', false)];
  const unused = (id: string, notification_rules: NotificationRule[]): boolean => isUnused(contact_methods.find((each) => each.id === id)!, { contact_methods, notification_rules });
  expect(unused('b', [rule('a')])).toBe(true);
  expect(unused('a', [rule('a')])).toBe(false);
  expect(unused('b', [rule('a'), rule('b', 'low')])).toBe(false);
  expect(unused('new', [rule('a')])).toBe(false);
});

test('without a rule that wakes by a verified way, each verified one is used', () => {
  const contact_methods = [way('a'), way('b'), way('new', false)];
  for (const notification_rules of [[], [rule('new')], [rule('a', 'low')]]) expect(isUnused(way('b'), { contact_methods, notification_rules })).toBe(false);
});

test('a way that is added anew stands in all rules of the one that is gone', () => {
  expect(inPlaceOf('old', 'new', [rule('a'), rule('old'), rule('old', 'low')])).toEqual([
    { urgency: 'high', delay_minutes: 0, contact_method_id: 'a' },
    { urgency: 'high', delay_minutes: 0, contact_method_id: 'new' },
    { urgency: 'low', delay_minutes: 0, contact_method_id: 'new' },
  ]);
  expect(inPlaceOf('old', 'new', [rule('a')])).toBeNull();
});
