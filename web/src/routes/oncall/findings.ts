// What is found wrong in the days ahead, put together as it is shown: the same trouble at the same time of several days is one line. Pure.
import type { Finding } from '../../lib/api/index.ts';
import { localInZone, millis } from '../../lib/time.ts';
import { plural } from '../../lib/words.ts';
import { dateAt, plusDays } from './rota.ts';
import { when } from './when.ts';

/** One line: a finding by itself, or several that are one trouble, with words of their own. */
export interface Line {
  key: string;
  /** The nearest first. */
  findings: [Finding, ...Finding[]];
  text: string;
}

/** A finding with an end, by the clock of a zone. */
interface Stretch {
  finding: Finding;
  /** `12:00`; null where it began before it was looked for, so that its beginning is not known. */
  from: string | null;
  /** In milliseconds, of what is ahead. */
  length: number;
  until: string;
  /** Of its end. */
  date: string;
}

/** At most so many days are looked at, so a time of the week comes back no more often. */
const DAYS_A_WEEK = 7;
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const WORKDAYS = '1,2,3,4,5';

/** `zoneOf`: by whose clock what is found comes back. The server tells what comes back every week as one already. */
export function linesOf(findings: Finding[], now: number, zoneOf: (finding: Finding) => string): Line[] {
  const groups: { same: string | null; zone: string; stretches: Stretch[]; findings: [Finding, ...Finding[]] }[] = [];
  for (const finding of findings) {
    const zone = zoneOf(finding);
    const stretch = stretchOf(finding, now, zone);
    const same = stretch && JSON.stringify([finding.kind, finding.schedule?.id, finding.policy?.id, finding.level, stretch.until]);
    const known = stretch && groups.find((each) => each.same === same && each.stretches.every((one) => isSame(one, stretch)));
    if (known) {
      known.stretches.push(stretch);
      known.findings.push(finding);
    } else {
      groups.push({ same, zone, stretches: stretch ? [stretch] : [], findings: [finding] });
    }
  }
  return groups.map(({ zone, stretches, findings: all }) => ({
    key: all[0].key,
    findings: all,
    text: all.length === 1 ? all[0].text : `${subjectOf(all[0])} ${patternOf(stretches, zone)}`,
  }));
}

function stretchOf(finding: Finding, now: number, zone: string): Stretch | null {
  if ((finding.kind !== 'gap' && finding.kind !== 'empty_level') || finding.until === null) return null;
  const [since, until] = [millis(finding.since), millis(finding.until)];
  // What takes a day or more cannot come back every day.
  if (until - since >= 86_400_000) return null;
  const from = since <= now ? null : localInZone(since, zone).slice(11);
  const end = localInZone(until, zone);
  return { finding, from, length: until - since, until: end.slice(11), date: end.slice(0, 10) };
}

/** Of what is under way only the rest is known: it may be one of those that are as long or longer. */
function isSame(one: Stretch, other: Stretch): boolean {
  if (one.from !== null && other.from !== null) return one.from === other.from;
  const [underWay, whole] = one.from === null ? [one, other] : [other, one];
  return whole.from !== null && underWay.length <= whole.length;
}

function subjectOf(finding: Finding): string {
  if (finding.kind === 'empty_level') return `Level ${finding.level} of "${finding.policy?.name ?? 'a policy'}" would page nobody`;
  return `Nobody is on call in "${finding.schedule?.name ?? 'a schedule'}"`;
}

/** `every day 12:00 to 13:00 (Europe/Berlin) until Tue, Dec 8, 13:00; 14 times`. */
function patternOf(stretches: Stretch[], zone: string): string {
  const from = stretches.find((each) => each.from !== null)?.from ?? '';
  const { until } = stretches[0] ?? { until: '' };
  const overnight = until <= from;
  const ends = stretches.flatMap(({ finding, date }) => Array.from({ length: finding.times }, (_, week) => plusDays(date, week * DAYS_A_WEEK)));
  const begins = ends.map((date) => (overnight ? plusDays(date, -1) : date)).sort();
  const last = ends.sort().at(-1) ?? '';
  const lastEnd = when(new Date(Date.parse(`${last}T${until}Z`)).toISOString(), 'UTC');
  return `${daysOf(begins)} ${from} to ${until} (${zone}) until ${lastEnd}; ${plural(ends.length, 'time')}`;
}

/** Sorted civil dates in words: `every day`, `Monday to Friday`, or the days of the week. */
function daysOf(dates: string[]): string {
  if (dates.every((date, index) => index === 0 || date === plusDays(dates[index - 1] ?? '', 1))) return 'every day';
  const weekdays = [...new Set(dates.map((date) => new Date(`${date}T00:00Z`).getUTCDay()))];
  // A week begins on Monday.
  weekdays.sort((a, b) => ((a + 6) % DAYS_A_WEEK) - ((b + 6) % DAYS_A_WEEK));
  if (weekdays.join() === WORKDAYS) return 'Monday to Friday';
  const names = weekdays.map((day) => WEEKDAYS[day]);
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((each) => each !== '').join(' and ');
}

/** Where it is mended, and how that is called. The rota opens at the day that the clock of its zone shows. */
export function mendOf(finding: Finding, zone: string): { to: string; words: string } | null {
  if (finding.user) return { to: `/ui/people/${finding.user.id}`, words: finding.kind === 'late' ? 'Notification rules' : 'Contact methods' };
  if (finding.policy) return { to: `/ui/oncall/policies/${finding.policy.id}`, words: 'Policy' };
  if (finding.schedule) return { to: `/ui/oncall/schedules/${finding.schedule.id}?view=week&at=${dateAt(millis(finding.since), zone)}`, words: finding.kind === 'gap' ? 'Fill the gap' : 'Schedule' };
  if (finding.kind === 'last_resort') return { to: '/ui/settings/last-resort', words: 'Change the list' };
  return null;
}
