// The conditions and actions of rules about alerts: as rows that a person can edit, and in words. Pure.
import type { Condition, Hours, Operator, RuleAction } from '../../lib/api/index.ts';
import { hoursWords } from '../../lib/hours.ts';
import { spanWords } from '../../lib/span.ts';

/** One line of the editor: something is asked of a field, or of the time. */
export type Row = { not: boolean } & ({ kind: 'field'; field: string; op: Operator; text: string } | { kind: 'hours'; hours: Hours });

export interface Rows {
  /** Whether all rows have to hold, or one of them. */
  join: 'all' | 'any';
  rows: Row[];
}

export const FIELDS = ['title', 'summary', 'severity', 'source', 'component', 'group', 'class', 'integration', 'service'] as const;
/** Before the name of a further field. */
export const DETAIL = 'details.';

export const OPERATOR_WORDS: Record<Operator, string> = {
  equals: 'is',
  contains: 'contains',
  starts_with: 'starts with',
  matches: 'matches',
  exists: 'is there',
};

/** The condition as rows; null for one that stands deeper than rows can show. */
export function rowsOf(when: Condition): Rows | null {
  const single = rowOf(when);
  if (single) return { join: 'all', rows: [single] };
  const join = when.any ? 'any' : 'all';
  const list = when[join] ?? (Object.keys(when).length === 0 ? [] : null);
  // One of none never holds: no rows would say the opposite.
  if (list === null || (join === 'any' && list.length === 0)) return null;
  const rows = list.map(rowOf);
  return rows.every((row) => row !== null) ? { join, rows } : null;
}

function rowOf(when: Condition): Row | null {
  if (when.not) {
    const inner = rowOf(when.not);
    return inner && !inner.not ? { ...inner, not: true } : null;
  }
  if (when.hours) return { kind: 'hours', not: false, hours: when.hours };
  return when.field !== undefined && when.op !== undefined ? { kind: 'field', not: false, field: when.field, op: when.op, text: when.text ?? '' } : null;
}

export function conditionOf({ join, rows }: Rows): Condition {
  const list = rows.map(conditionOfRow);
  if (list.length === 0) return {};
  return list.length === 1 && list[0] ? list[0] : { [join]: list };
}

function conditionOfRow(row: Row): Condition {
  const own: Condition = row.kind === 'hours' ? { hours: row.hours } : { field: row.field, op: row.op, ...(row.op !== 'exists' && { text: row.text }) };
  return row.not ? { not: own } : own;
}

/** `source starts with “test-” and not details.stage is “live”`; an empty condition is `every alert`. */
export function conditionWords(when: Condition): string {
  return joined(when, false) || 'every alert';
}

function joined(when: Condition, inside: boolean): string {
  if (when.not) return `not ${joined(when.not, true) || 'every alert'}`;
  if (when.hours) return `it is ${hoursWords(when.hours)}`;
  if (when.field !== undefined && when.op !== undefined) return fieldWords(when.field, when.op, when.text);
  const list = when.any ?? when.all ?? [];
  const words = list.map((each) => joined(each, list.length > 1) || 'every alert').join(when.any ? ' or ' : ' and ');
  return inside && list.length > 1 ? `(${words})` : words;
}

function fieldWords(field: string, op: Operator, text: string | undefined): string {
  return op === 'exists' ? `${field} ${OPERATOR_WORDS[op]}` : `${field} ${OPERATOR_WORDS[op]} “${text ?? ''}”`;
}

/** What a rule does to the alerts for which it holds; `nameOf` turns ids of services into names. */
export function actionWords(action: RuleAction, nameOf: (service: string) => string): string {
  switch (action.do) {
    case 'route':
      return `goes to ${nameOf(action.service_id)}`;
    case 'set_severity':
      return `becomes ${action.severity}`;
    case 'set_priority':
      return `gets the priority ${action.priority}`;
    case 'suppress':
      return 'is kept and shown, and pages nobody';
    case 'pause':
      return `pages only if it still fails after ${spanWords(action.seconds)}`;
    case 'drop':
      return 'is thrown away';
    case 'note':
      return `gets the note “${action.text}”`;
  }
}
