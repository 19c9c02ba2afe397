// Which message about an incident is explained, and how it is asked for. Pure.
import type { Notification, Purpose } from '../../lib/api/index.ts';

type Message = Pick<Notification, 'id' | 'user' | 'purpose' | 'state'>;

/** What wakes somebody, or asks them to come. */
const CALLS: readonly Purpose[] = ['page', 'request'];

/** The messages that can be asked about: not what is still to come, nor a test. They keep their order. */
export function explainable<Each extends Message>(messages: Each[]): Each[] {
  return messages.filter((each) => each.state !== 'planned' && each.purpose !== 'test');
}

/** What is explained to `me` unless they ask about another one: their own latest page, or the first of the incident. */
export function explainedFirst<Each extends Message>(messages: Each[], me: string | null): Each | null {
  const asked = explainable(messages);
  const calls = asked.filter((each) => CALLS.includes(each.purpose) && each.state !== 'cancelled');
  return calls.findLast((each) => each.user.id === me) ?? calls[0] ?? asked[0] ?? null;
}

/** The question that an explanation of it answers. */
export function question({ user, purpose }: Pick<Message, 'user' | 'purpose'>, me: string | null): string {
  const who = user.id === me ? 'I' : user.name;
  switch (purpose) {
    case 'page':
      return `Why was ${who} paged?`;
    case 'request':
      return `Why was ${who} asked to help?`;
    case 'notice':
    case 'resolved':
    case 'acknowledged':
    case 'test':
    case 'word':
      return `Why was ${who} told?`;
  }
}
