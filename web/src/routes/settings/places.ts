// The places of accounts and mail servers: those after the first take over where it fails. Pure.
import type { Buttons, Channels, EmailChannel, ProviderAccount } from '../../lib/api/index.ts';

const PLACES_MAX = 3;
const WORDS = ['First', 'Second', 'Third'];

/** The word of a place, which is counted from 1. */
export const placeWord = (place: number): string => WORDS[place - 1] ?? `No. ${place}`;

/** Where one stands; an older server knows the first place only. */
export const placeOf = (one: { place?: number }): number => one.place ?? 1;

function freePlace(taken: { place?: number }[]): number | null {
  for (let place = 2; place <= PLACES_MAX; place += 1) if (!taken.some((each) => placeOf(each) === place)) return place;
  return null;
}

const inOrder = <One extends { place?: number }>(all: One[]): One[] => all.sort((one, other) => placeOf(one) - placeOf(other));

/** Every account, followed by those that take over for it, and where one may be added by an empty one. */
export function accountRows({ accounts, further_accounts }: Channels, mayAdd: boolean): ProviderAccount[] {
  return (accounts ?? []).flatMap((first) => {
    const further = (further_accounts ?? []).filter((each) => each.provider === first.provider);
    // A chat, a key or a browser belongs to one bot, application or key: nobody else could write there.
    const mayHaveMore = mayAdd && further_accounts !== undefined && first.provider === 'twilio' && first.configured;
    const free = mayHaveMore ? freePlace(further) : null;
    const empty: ProviderAccount[] = free === null ? [] : [{ provider: first.provider, place: free, configured: false, base_url: null, account_id: null, from: null, has_token: false, has_listener_token: false, public_key: null, state: 'unknown', detail: null }];
    return inOrder([first, ...further, ...empty]);
  });
}

/** The mail servers that take over for the first, and where one may be added an empty one. */
export function furtherMail({ email, further_email }: Channels, mayAdd: boolean): EmailChannel[] {
  const further = further_email ?? [];
  const free = mayAdd && further_email !== undefined && email.configured ? freePlace(further) : null;
  const empty: EmailChannel[] = free === null ? [] : [{ place: free, configured: false, host: null, port: null, from: null, tls: null, username: null, has_password: false, state: 'unknown', detail: null }];
  return inOrder([...further, ...empty]);
}

/** Whether the buttons in its messages are heard, in words and as a tone; nothing while nobody listens. */
export function hearing({ buttons }: { buttons?: Buttons | null }): { words: string; tone: string } | null {
  if (!buttons) return null;
  return buttons.heard ? { words: 'hears buttons', tone: 'good' } : { words: 'hears no buttons', tone: 'bad' };
}

/** How an account or a mail server is, in words and as a tone. */
export function standing(one: { configured: boolean; state: 'ok' | 'failing' | 'unknown' }): { words: string; tone: string } {
  if (!one.configured) return { words: 'not set up', tone: '' };
  if (one.state === 'ok') return { words: 'works', tone: 'good' };
  return one.state === 'failing' ? { words: 'fails', tone: 'bad' } : { words: 'not tried yet', tone: 'warn' };
}
