// The words for closed sets that several screens name.
import type { ApiError, Attempt, ChannelKind, IncidentStatus, IncidentSummary, Purpose, Role, Severity } from './api/index.ts';

const STATUS_WORDS: Record<IncidentStatus, string> = {
  triggered: 'Ringing',
  acknowledged: 'Acknowledged',
  resolved: 'Resolved',
};

/** Whether nobody is or was paged because it is not urgent. */
export const isCalm = (incident: Pick<IncidentSummary, 'urgency' | 'paged_at'>): boolean => incident.urgency === 'low' && incident.paged_at === null;

/** The state of an incident in a word; an open one of which nobody hears does not ring. */
export function statusWord(
  incident: Pick<IncidentSummary, 'status' | 'urgency' | 'suppressed' | 'hold' | 'paged_at'> & Partial<Pick<IncidentSummary, 'snoozed_until' | 'merged_into'>>,
): string {
  if (incident.status === 'acknowledged' && incident.snoozed_until) return 'Snoozed';
  if (incident.status === 'resolved' && incident.merged_into) return `Merged into #${incident.merged_into}`;
  if (incident.status === 'triggered' && incident.paged_at === null) {
    if (incident.suppressed !== null) return 'Silenced';
    if (incident.hold !== null) return 'Held back';
    if (isCalm(incident)) return 'Not urgent';
  }
  return STATUS_WORDS[incident.status];
}

export const CHANNEL_NAMES: Record<ChannelKind, string> = {
  email: 'E-mail',
  webhook: 'Webhook',
  ntfy: 'ntfy',
  slack: 'Slack',
  telegram: 'Telegram',
  pushover: 'Pushover',
  sms: 'Text message',
  voice: 'Call',
  web_push: 'Push to a browser',
  pagerduty: 'PagerDuty',
};

/** What a message that is no page was for. */
export const PURPOSE_WORDS: Record<Purpose, string> = {
  page: 'page',
  notice: 'notice of what wakes nobody',
  request: 'asked to help',
  resolved: '“resolved” message',
  acknowledged: '“acknowledged” message',
  test: 'test page',
  word: 'word about duty',
};

const OUTCOME_WORDS: Record<Exclude<Attempt['outcome'], null> | 'none', string> = {
  none: 'Under way',
  accepted: 'Accepted',
  failed: 'Failed',
  refused: 'Refused',
  timed_out: 'Timed out',
  unanswered: 'Unanswered',
};

/** How an attempt ended, or that it has not. */
export const attemptWords = ({ outcome, not_sent }: Pick<Attempt, 'outcome' | 'not_sent'>): string => (not_sent ? 'Not sent' : OUTCOME_WORDS[outcome ?? 'none']);

export const ROLE_WORDS: Record<Role, string> = {
  viewer: 'Viewer: sees everything, changes nothing',
  responder: 'Responder: is paged, acknowledges, resolves',
  admin: 'Administrator: changes people, policies and settings',
};

export const SEVERITY_RANK: Record<Severity, number> = { critical: 0, error: 1, warning: 2, info: 3 };

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** What is told of a refusal: its words, and of its reasons those that the words do not say already. */
export function refusalWords({ message, reasons }: Pick<ApiError, 'message' | 'reasons'>): { words: string; reasons: string[] } {
  if (reasons.length === 0 || message !== reasons.join('; ')) return { words: message, reasons };
  return reasons.length === 1 ? { words: message, reasons: [] } : { words: 'This was refused for several reasons:', reasons };
}

/** Words that stand alone as a sentence. */
export function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** Text from outside with its invisible characters written out, so that a reversed or hidden part cannot deceive. */
export function visible(text: string): string {
  return text.replace(DECEIVING, (mark) => `⟨U+${(mark.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
}

/** Control characters other than tab and line ends, and the marks that turn or isolate the direction of text. */
const DECEIVING = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** The address of a text that is nothing but an address of the web, so that it can be followed as it is shown; else null. */
export function linkOf(text: string): string | null {
  return /^https?:\/\/[^\s\u0000-\u001f\u007f]+$/i.test(text) && visible(text) === text ? webAddress(text) : null;
}

/** An address of the web, or null for anything that a click must not follow (javascript:, data:, nonsense). */
export function webAddress(text: string | null): string | null {
  if (!text) return null;
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
  } catch {
    return null;
  }
}
