// What may be done to an incident now, and by whom: what the server would refuse is not offered. Pure.
import type { Alert, IncidentDetail } from '../../lib/api/index.ts';

export type Offer =
  | 'acknowledge'
  | 'acknowledge-again'
  | 'snooze'
  | 'end-snooze'
  | 'resolve'
  | 'note'
  | 'reassign'
  | 'escalate'
  | 'help'
  | 'merge'
  | 'priority'
  | 'raise'
  | 'lower';

type Facts = Pick<IncidentDetail, 'status' | 'urgency' | 'suppressed' | 'snoozed_until' | 'acknowledgement_ends_at'> & {
  alerts: Pick<Alert, 'status' | 'source'>[];
  paging: Pick<IncidentDetail['paging'], 'acknowledged_by'>;
};

/** Whether Tocsin itself is who says that something fails. */
export const isOwnJudge = (source: Alert['source']): boolean => source === 'monitor' || source === 'rule' || source === 'heartbeat';

/** Whether Tocsin itself still sees something fail: that resolves by itself, and only so. */
export function isWatched(incident: Pick<Facts, 'alerts'>): boolean {
  return incident.alerts.some((alert) => alert.status === 'firing' && isOwnJudge(alert.source));
}

/** `who`: the id of the person who looks; null for one whose role may not respond. */
export function offersOf(incident: Facts, who: string | null): ReadonlySet<Offer> {
  const offers = new Set<Offer>();
  if (who === null) return offers;
  offers.add('note').add('priority');
  if (incident.status === 'resolved') return offers;
  offers.add('snooze').add('reassign').add('merge').add(incident.urgency === 'high' ? 'lower' : 'raise');
  const didTheirPart = incident.paging.acknowledged_by.some((each) => each.id === who);
  if (incident.status === 'triggered' && !didTheirPart) offers.add('acknowledge');
  if (incident.status === 'acknowledged' && incident.snoozed_until) offers.add('end-snooze');
  else if (incident.status === 'acknowledged' && incident.acknowledgement_ends_at) offers.add('acknowledge-again');
  if (!isWatched(incident)) offers.add('resolve');
  const burns = incident.alerts.length === 0 || incident.alerts.some((alert) => alert.status === 'firing');
  if (incident.suppressed === null) offers.add('help');
  if (incident.suppressed === null && incident.urgency === 'high' && burns) offers.add('escalate');
  return offers;
}
