// Alerts for trying rules out: made of alerts that came, or of what somebody types. Pure.
import type { Alert, TrialAlert } from '../../lib/api/index.ts';
import { isOwnJudge } from '../incident/offers.ts';

/** What came from outside as an alert for a trial; null for what Tocsin sees itself, which rules treat otherwise. */
export function trialOf(alert: Pick<Alert, 'title' | 'summary' | 'severity' | 'source' | 'details'>, service: string): TrialAlert | null {
  if (isOwnJudge(alert.source)) return null;
  const where = /^on (.+)$/s.exec(alert.summary)?.[1];
  return {
    summary: alert.title,
    severity: alert.severity,
    service_id: service,
    ...(where !== undefined && { source: where }),
    details: Object.fromEntries(alert.details.map((each) => [each.name, each.value])),
  };
}

/** Further fields as they are typed, `name = value` on each line; what has no name is left out. */
export function fieldsOf(text: string): Record<string, string> {
  const pairs = text.split('\n').map((line) => {
    const at = line.indexOf('=');
    return at < 0 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return Object.fromEntries(pairs.filter(([name]) => name !== ''));
}
