// How a job that must call in is doing, and the lines by which it calls. Pure.
import type { Heartbeat } from '../../lib/api/index.ts';
import { millis } from '../../lib/time.ts';

export interface Beat {
  word: string;
  tone: '' | 'good' | 'warn' | 'bad';
  /** When the next call is expected, in milliseconds since 1970; null when none is. */
  expectedAt: number | null;
}

type Facts = Pick<Heartbeat, 'status' | 'every_seconds' | 'last_call_at' | 'started_at' | 'failed_at'>;

export function beatOf(heartbeat: Facts, now: number): Beat {
  const called = heartbeat.last_call_at === null ? null : millis(heartbeat.last_call_at);
  const expectedAt = called === null ? null : called + heartbeat.every_seconds * 1_000;
  switch (heartbeat.status) {
    case 'new':
      return { word: 'never called yet', tone: '', expectedAt: null };
    case 'down': {
      const saysSo = heartbeat.failed_at !== null && (called === null || millis(heartbeat.failed_at) > called);
      return { word: saysSo ? 'says that it failed' : 'did not call', tone: 'bad', expectedAt };
    }
    case 'up':
      if (heartbeat.started_at !== null) return { word: 'runs', tone: 'good', expectedAt };
      return expectedAt !== null && now > expectedAt ? { word: 'late', tone: 'warn', expectedAt } : { word: 'on time', tone: 'good', expectedAt };
  }
}

const CURL = 'curl -fsS -m 10 --retry 5 -o /dev/null';
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;
const NIGHT = '0 3';

/** The five fields of cron that come as often as the job is expected; null where cron has no such rhythm. */
export function cronTime(everySeconds: number): string | null {
  if (everySeconds === DAY) return `${NIGHT} * * *`;
  if (everySeconds === 7 * DAY) return `${NIGHT} * * 0`;
  const [hours, minutes] = [everySeconds / HOUR, everySeconds / MINUTE];
  if (Number.isInteger(hours) && hours < 24 && 24 % hours === 0) return hours === 1 ? '0 * * * *' : `0 */${hours} * * *`;
  if (Number.isInteger(minutes) && minutes < 60 && 60 % minutes === 0) return minutes === 1 ? '* * * * *' : `*/${minutes} * * * *`;
  return null;
}

/** How to call: from a script, from cron, and with word of the beginning and of a failure. */
export function callLines(url: string, everySeconds: number): { label: string; text: string }[] {
  const time = cronTime(everySeconds);
  return [
    { label: 'At the end of a script', text: `${CURL} ${url}` },
    ...(time === null ? [] : [{ label: 'In a crontab', text: `${time} /path/to/job && ${CURL} ${url}` }]),
    { label: 'With word of its beginning and of a failure', text: `${CURL} ${url}/start\n/path/to/job && ${CURL} ${url} || ${CURL} ${url}/fail` },
  ];
}
