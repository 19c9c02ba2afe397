// The links of an incident's chain, from onset to resolved, with the time between them. Pure.
import type { IncidentSummary } from '../../lib/api/index.ts';
import { duration, millis } from '../../lib/time.ts';
import { isCalm } from '../../lib/words.ts';

export interface Link {
  key: 'onset' | 'opened' | 'paged' | 'acknowledged' | 'recovered' | 'resolved';
  label: string;
  at: string | null;
  /** Milliseconds since the link before it; null for the first and for what has not happened. */
  gapMs: number | null;
  note: string;
  /** `skipped`: it did not happen and will not, or not for the reason in `note`. */
  state: 'done' | 'open' | 'skipped';
}

type Facts = Pick<
  IncidentSummary,
  | 'status'
  | 'urgency'
  | 'opened_at'
  | 'onset_at'
  | 'onset_uncertainty_ms'
  | 'paged_at'
  | 'acknowledged_at'
  | 'acknowledged_by'
  | 'recovered_at'
  | 'resolved_at'
  | 'hold'
  | 'suppressed'
>;

/** The onset is the first bad sample: the failure began then or earlier, never later. */
export function uncertainty(ms: number | null): string {
  return ms === null || ms === 0 ? '' : `up to ${duration(ms)} earlier`;
}

/** Done links by time, then those still open in their usual order. */
export function chainLinks(facts: Facts): Link[] {
  const links = [
    link('onset', 'Onset', facts.onset_at, uncertainty(facts.onset_uncertainty_ms), facts),
    link('opened', 'Found', facts.opened_at, '', facts),
    link('paged', 'Paged', facts.paged_at, pagedNote(facts), facts),
    link('acknowledged', 'Acknowledged', facts.acknowledged_at, facts.acknowledged_by?.name ?? '', facts),
    link('recovered', 'Healthy again', facts.recovered_at, '', facts),
    link('resolved', 'Resolved', facts.resolved_at, '', facts),
  ].filter((each) => each !== null);
  const done = links.filter((each) => each.at !== null).sort((a, b) => millis(a.at ?? '') - millis(b.at ?? ''));
  for (const [index, each] of done.entries()) {
    const before = done[index - 1];
    if (each.at && before?.at) each.gapMs = millis(each.at) - millis(before.at);
  }
  return [...done, ...links.filter((each) => each.at === null)];
}

function link(key: Link['key'], label: string, at: string | null, note: string, facts: Facts): Link | null {
  if (at !== null) return { key, label, at, gapMs: null, note, state: 'done' };
  if (key === 'onset') return null;
  const over = facts.status === 'resolved';
  if (key === 'paged' && (facts.suppressed !== null || over || isCalm(facts))) {
    const why = isCalm(facts) ? 'It is not urgent.' : 'It was over before a page was due.';
    return { key, label: 'Not paged', at, gapMs: null, note: facts.suppressed ?? why, state: 'skipped' };
  }
  if (over) return null;
  return { key, label, at, gapMs: null, note, state: 'open' };
}

function pagedNote(facts: Facts): string {
  return facts.paged_at === null && facts.hold ? facts.hold.why : '';
}
