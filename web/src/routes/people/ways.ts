// The ways to reach a person, by kind: what is asked for, how to get it, what has to be set up before. Pure.
import type { ChannelKind, Channels, ContactMethod, ProviderName, RuleInput, User } from '../../lib/api/index.ts';

export interface Way {
  /** The name of the address field; null where no address is typed in. */
  label: string | null;
  hint: string;
  type: 'email' | 'url' | 'tel' | 'text';
  placeholder: string;
  /** Steps for whoever does it the first time. */
  help: string[];
  /** The account of the installation without which it cannot work. */
  needs: ProviderName | 'mail' | null;
}

export const WAYS: Record<ChannelKind, Way> = {
  email: {
    label: 'Mail address', type: 'email', placeholder: 'ada@example.org', needs: 'mail',
    hint: 'Sent through the mail server in the settings.',
    help: ['A mail wakes few people. Let it come together with a push, a text or a call.', 'The link in it shows the incident; pressing the button there acknowledges.'],
  },
  ntfy: {
    label: 'Topic URL', type: 'url', placeholder: 'https://ntfy.example.org/your-secret-topic', needs: null,
    hint: 'Subscribe to this topic in the ntfy app. Works without a mail server.',
    help: ['Install the ntfy app on your phone.', 'Subscribe to a topic with a name that nobody guesses, at your own server or a public one.', 'Let the app break through "do not disturb" for this topic.'],
  },
  webhook: {
    label: 'URL', type: 'url', placeholder: 'https://hooks.example.org/page', needs: null,
    hint: 'Each page is posted here as JSON and signed with a secret that you see once.',
    help: ['Whoever receives it checks the signature with the secret, and answers with a 2xx status.'],
  },
  slack: {
    label: 'Webhook URL or member ID', type: 'text', placeholder: 'U024BE7LH', needs: null,
    hint: 'A member ID gets messages with buttons; an incoming webhook posts into its channel.',
    help: ['Member ID: open your profile in Slack, then the menu, then "Copy member ID". It needs the Slack account under Settings.', 'Incoming webhook: make one in Slack and paste its URL. It needs no account here. Everybody in its channel reads it, so it only leads to the incident.'],
  },
  telegram: {
    label: 'Number of the chat', type: 'text', placeholder: '123456789', needs: 'telegram',
    hint: 'Your user ID, the (negative) number of a group, or @channel.',
    help: ['Find the bot of this installation in Telegram and write to it once, so that it may write to you.', 'Your number is your user ID, which Telegram’s own settings do not show: a bot made for that, or the address line of its web page, does.'],
  },
  pushover: {
    label: 'User key', type: 'text', placeholder: 'uQiRzpo4DXghDmr9QzzfQu27cmVRsG', needs: 'pushover',
    hint: '30 letters and digits, shown on your start page at Pushover.',
    help: ['Install the Pushover app and sign in.', 'An urgent page rings every 30 seconds until you acknowledge it, in the app or here.'],
  },
  sms: {
    label: 'Phone number', type: 'tel', placeholder: '+33 1 23 45 67 89', needs: 'twilio',
    hint: 'In the international form, beginning with +.',
    help: ['Answer a text with "4" to acknowledge and "6" to resolve.', 'A text that the phone does not get counts as failed, and your next way is used.'],
  },
  voice: {
    label: 'Phone number', type: 'tel', placeholder: '+33 1 23 45 67 89', needs: 'twilio',
    hint: 'In the international form, beginning with +.',
    help: ['The call reads out what fails. Press 4 to acknowledge, 6 to resolve.', 'Save the number of the calls as a contact that may ring at night.'],
  },
  web_push: {
    label: null, type: 'text', placeholder: '', needs: 'web_push',
    hint: 'To this browser on this device. The browser asks whether Tocsin may send you notifications.',
    help: ['Works over HTTPS (or on localhost) only.', 'On an iPhone, first add Tocsin to the home screen and open it from there.', '"Do not disturb" may silence it: never let it be the only way.'],
  },
  pagerduty: {
    label: 'Routing key', type: 'text', placeholder: '32 letters and digits', needs: null,
    hint: 'Of an Events API v2 integration of a service at PagerDuty.',
    help: ['For a team that keeps PagerDuty: pages are forwarded to that service, and so are acknowledging and resolving.', 'Do not forward to something that forwards back.'],
  },
};

/** Kinds that every server knows; the others come with their accounts. */
const ALWAYS: ChannelKind[] = ['email', 'ntfy', 'webhook'];
const WITH_ACCOUNTS: ChannelKind[] = ['email', 'ntfy', 'sms', 'voice', 'pushover', 'telegram', 'slack', 'web_push', 'webhook', 'pagerduty'];

/** The kinds that this server knows, the most usual first. */
export function kindsOf(channels: Channels | null): ChannelKind[] {
  return channels?.accounts ? WITH_ACCOUNTS : ALWAYS;
}

/** Why a kind would not arrive yet, in words; null when nothing is missing. */
export function missingFor(kind: ChannelKind, channels: Channels | null, address: string): string | null {
  if (!channels) return null;
  const { needs } = WAYS[kind];
  const accounts = [...(channels.accounts ?? []), ...(channels.further_accounts ?? [])];
  const account = (name: ProviderName): boolean => accounts.some((each) => each.provider === name && each.configured);
  const mail = [channels.email, ...(channels.further_email ?? [])].some((each) => each.configured);
  if (needs === 'mail') return mail ? null : 'No mail server is set up yet.';
  if (kind === 'slack') return /^[UW]/i.test(address.trim()) && !account('slack') ? 'Messages to members need a Slack account of this installation, which is not set up yet.' : null;
  if (needs === null || needs === 'web_push') return null;
  const callsFrom = channels.accounts?.find((each) => each.provider === 'twilio')?.from ?? '';
  if (kind === 'voice' && account('twilio') && !callsFrom.startsWith('+')) return 'Calls need a number to come from, and the account at Twilio has none.';
  return account(needs) ? null : `This needs an account at ${PROVIDER_NAMES[needs]}, which is not set up yet.`;
}

/** What is said of a way by which nothing can be sent yet, because its channel is not set up here; null when it is. */
export function notSetUp(method: Pick<ContactMethod, 'kind' | 'set_up'>): string | null {
  if (method.set_up) return null;
  const { needs } = WAYS[method.kind];
  if (needs === null) return 'This is not set up here, so nothing goes by it yet.';
  // Texts go out from a name too.
  const number = method.kind === 'voice' ? ' with a number' : '';
  return `No ${MISSING[needs]}${number} is set up, so nothing goes by it yet.`;
}

const MISSING: Record<ProviderName | 'mail', string> = {
  mail: 'mail server',
  twilio: 'Twilio account',
  telegram: 'Telegram bot',
  pushover: 'Pushover application',
  slack: 'Slack app',
  web_push: 'key for pushes to browsers',
  pagerduty: 'account at PagerDuty',
};

/** Whether a verified way waits until those fail that the rules name. Where no rule names any that is verified, each is used at once. */
export function isUnused(method: Pick<ContactMethod, 'id' | 'verified'>, { contact_methods, notification_rules }: Pick<User, 'contact_methods' | 'notification_rules'>): boolean {
  const isVerified = (id: string): boolean => contact_methods.some((each) => each.id === id && each.verified);
  const areUsed = notification_rules.some((rule) => rule.urgency === 'high' && isVerified(rule.contact_method_id));
  return method.verified && areUsed && !notification_rules.some((rule) => rule.contact_method_id === method.id);
}

/** The rules in which one way stands in the place of another; null when no rule names that one. */
export function inPlaceOf(gone: string, made: string, rules: User['notification_rules']): RuleInput[] | null {
  if (!rules.some((rule) => rule.contact_method_id === gone)) return null;
  return rules.map(({ urgency, delay_minutes, contact_method_id }) => ({ urgency, delay_minutes, contact_method_id: contact_method_id === gone ? made : contact_method_id }));
}

export const PROVIDER_NAMES: Record<ProviderName, string> = {
  twilio: 'Twilio',
  telegram: 'Telegram',
  pushover: 'Pushover',
  slack: 'Slack',
  web_push: 'Push to browsers',
  pagerduty: 'PagerDuty',
};
