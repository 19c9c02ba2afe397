// Instants and durations in words. Pure: the caller says what time it is and in which zone to write.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const millis = (instant: string): number => Date.parse(instant);

/** A duration with the two largest units that matter: `4m 12s`, `2h 05m`, `3d 4h`; below ten seconds with tenths. */
export function duration(ms: number): string {
  const abs = Math.abs(ms);
  if (abs < SECOND) return `${Math.round(abs)} ms`;
  if (abs < 10 * SECOND) return `${(abs / SECOND).toFixed(1)}s`;
  if (abs < MINUTE) return `${Math.floor(abs / SECOND)}s`;
  if (abs < HOUR) return `${Math.floor(abs / MINUTE)}m ${two(Math.floor((abs % MINUTE) / SECOND))}s`;
  if (abs < DAY) return `${Math.floor(abs / HOUR)}h ${two(Math.floor((abs % HOUR) / MINUTE))}m`;
  return `${Math.floor(abs / DAY)}d ${Math.floor((abs % DAY) / HOUR)}h`;
}

/** A ticking age: like `duration`, but whole seconds, so that it does not flicker. */
export function age(ms: number): string {
  return ms < 10 * SECOND ? `${Math.max(0, Math.floor(ms / SECOND))}s` : duration(ms);
}

/** `12s ago`, `in 4m 05s`, `just now`. */
export function relative(at: number, now: number): string {
  const ms = now - at;
  if (Math.abs(ms) < SECOND) return 'just now';
  return ms > 0 ? `${age(ms)} ago` : `in ${age(-ms)}`;
}

/** `07:12:58` on the same local day, `Nov 23, 07:12` otherwise; 24 hours always. */
export function shortTime(at: number, now: number, zone?: string): string {
  const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(zone && { timeZone: zone }) } as const;
  if (dayKey(at, zone) === dayKey(now, zone)) return format(at, { ...options, second: '2-digit' });
  return `${format(at, { month: 'short', day: 'numeric', ...(zone && { timeZone: zone }) })}, ${format(at, options)}`;
}

/** Like `shortTime`, but to the minute: for hand-overs and other things that nobody times to the second. */
export function minuteTime(at: number, now: number, zone?: string): string {
  const text = shortTime(at, now, zone);
  return dayKey(at, zone) === dayKey(now, zone) ? text.slice(0, 5) : text;
}

/** Like `shortTime`, to the second and with the zone, for a sentence that has no other clock beside it: `Nov 23, 08:12:58 GMT+1`. */
export function zonedTime(at: number, now: number, zone?: string): string {
  const time = format(at, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZoneName: 'short', ...(zone && { timeZone: zone }) });
  return dayKey(at, zone) === dayKey(now, zone) ? time : `${format(at, { month: 'short', day: 'numeric', ...(zone && { timeZone: zone }) })}, ${time}`;
}

/** `07:12:58.123`, for places where tenths of seconds tell the story. */
export function preciseTime(at: number, zone?: string): string {
  const options = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', ...(zone && { timeZone: zone }) } as const;
  return `${format(at, options)}.${String(((at % 1000) + 1000) % 1000).padStart(3, '0')}`;
}

/** Date, time and zone in full: `Mon, Nov 23, 2026, 08:12:58 GMT+1`. */
export function fullTime(at: number, zone?: string): string {
  return format(at, {
    weekday: 'short',
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    ...(zone && { timeZone: zone }),
  });
}

/** The instant in UTC to the millisecond: `2026-11-23 07:12:58.123 UTC`. */
export function utcTime(at: number): string {
  return `${new Date(at).toISOString().replace('T', ' ').replace('Z', '')} UTC`;
}

/** The instant at which a wall clock in `zone` shows `local` (`2026-11-23T09:00`). A time that a clock change skips moves forward. */
export function instantInZone(local: string, zone: string): string {
  const asUtc = Date.parse(`${local.length === 16 ? `${local}:00` : local}Z`);
  if (Number.isNaN(asUtc)) throw new RangeError(`"${local}" is not a date and time.`);
  const first = asUtc - offsetMs(asUtc, zone);
  const second = asUtc - offsetMs(first, zone);
  // Around a clock change the two guesses differ; the later one is right after a skipped hour.
  const exact = [second, first].find((guess) => guess + offsetMs(guess, zone) === asUtc);
  return new Date(exact ?? Math.max(first, second)).toISOString();
}

/** What a wall clock in `zone` shows at `at`, in the shape of a datetime-local input: `2026-11-23T09:00`. */
export function localInZone(at: number, zone: string): string {
  return new Date(at + offsetMs(at, zone)).toISOString().slice(0, 16);
}

function offsetMs(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at);
  const part = (type: string): number => Number(parts.find((each) => each.type === type)?.value);
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return wall - Math.floor(at / SECOND) * SECOND;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(at: number, options: Intl.DateTimeFormatOptions): string {
  const key = JSON.stringify(options);
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat('en-US', options);
    formats.set(key, found);
  }
  return found.format(at);
}

function dayKey(at: number, zone?: string): string {
  return format(at, { year: 'numeric', month: 'numeric', day: 'numeric', ...(zone && { timeZone: zone }) });
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
