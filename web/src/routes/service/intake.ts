// How a service takes its alerts in, in words. Pure.
import type { Grouping, Loudness, UrgencyBy } from '../../lib/api/index.ts';
import { hoursWords } from '../../lib/hours.ts';
import { spanWords } from '../../lib/span.ts';

export const LOUDNESS_WORDS: Record<Loudness, string> = {
  high: 'every alert pages',
  low: 'no alert pages',
  severity: 'critical and error page',
};

export function urgencyWords(urgency: UrgencyBy): string {
  switch (urgency.by) {
    case 'severity':
      return 'Critical and error page, warning and info do not.';
    case 'high':
      return 'Every alert pages.';
    case 'low':
      return 'No alert pages.';
    case 'support_hours':
      return `${hoursWords(urgency.hours)}: ${LOUDNESS_WORDS[urgency.during]}. Else: ${LOUDNESS_WORDS[urgency.outside]}.${urgency.raise ? ' What is open and unanswered is raised when the hours begin.' : ''}`;
  }
}

export function groupingWords(grouping: Grouping): string {
  switch (grouping.by) {
    case 'nothing':
      return 'Each alert has an incident of its own; those of one watched server share one.';
    case 'time':
      return `Alerts within ${spanWords(grouping.minutes * 60)} of ${grouping.rolling ? 'the last one' : 'the first one'} share an incident.`;
    case 'content':
      return `Alerts with the same ${grouping.fields.join(' and ')} share an incident.`;
  }
}
