import { describe, expect, test } from 'vitest';
import type { Finding } from '../../lib/api/index.ts';
import { instantInZone } from '../../lib/time.ts';
import { linesOf, mendOf } from './findings.ts';

const ZONE = 'Pacific/Auckland';
const NOW = Date.parse('2026-11-25T13:07:30Z');
const SHOP = { id: 'shop', name: 'Shop' };
/** A gap of the shop's schedule by the clock of `zone`, told in words that begin with "server". */
const gap = (from: string, until: string, over: Partial<Finding> = {}, zone = ZONE): Finding => ({ key: `${from}${until}`, kind: 'gap', text: `server ${from}`, since: instantInZone(from, zone), until: instantInZone(until, zone), times: 2, schedule: SHOP, user: null, policy: null, level: null, ...over });
const week = (days: number[], from: string, until: string, over: Partial<Finding> = {}, zone = ZONE): Finding[] =>
  days.map((day) => gap(`2026-11-${day}T${from}`, `2026-11-${day}T${until}`, over, zone));
const check = (findings: Finding[], expected: string[], zone = ZONE): void => expect(linesOf(findings, NOW, () => zone).map((each) => each.text)).toEqual(expected);

describe('the same trouble of several days', () => {
  test('is one line where it comes every day, by the clock of the schedule', () => {
    check(week([27, 28, 29], '12:00', '13:00', { times: 1 }), ['Nobody is on call in "Shop" every day 12:00 to 13:00 (Pacific/Auckland) until Sun, Nov 29, 13:00; 3 times']);
    const zone = 'America/Los_Angeles';
    const findings = ['2026-11-27', '2026-11-28', '2026-11-29', '2026-11-30', '2026-12-01', '2026-12-02', '2026-12-03'].map((day) => gap(`${day}T12:00`, `${day}T13:00`, {}, zone));
    check(findings, ['Nobody is on call in "Shop" every day 12:00 to 13:00 (America/Los_Angeles) until Thu, Dec 10, 13:00; 14 times'], zone);
    expect(linesOf(findings, NOW, () => zone)[0]?.findings).toEqual(findings);
  });
  test('names its days where it comes on some of them', () => {
    check([gap('2026-11-27T12:00', '2026-11-27T13:00'), gap('2026-11-30T12:00', '2026-11-30T13:00')], ['Nobody is on call in "Shop" Monday and Friday 12:00 to 13:00 (Pacific/Auckland) until Mon, Dec 7, 13:00; 4 times']);
    const workdays = ['2026-11-27', '2026-11-30', '2026-12-01', '2026-12-02', '2026-12-03'];
    check(workdays.map((day) => gap(`${day}T12:00`, `${day}T13:00`)), ['Nobody is on call in "Shop" Monday to Friday 12:00 to 13:00 (Pacific/Auckland) until Thu, Dec 10, 13:00; 10 times']);
  });
  test('may go on over midnight, and over a change of the clocks', () => {
    check([gap('2026-11-27T22:00', '2026-11-28T06:00', { times: 1 }), gap('2026-11-28T22:00', '2026-11-29T06:00', { times: 1 })], ['Nobody is on call in "Shop" every day 22:00 to 06:00 (Pacific/Auckland) until Sun, Nov 29, 06:00; 2 times']);
    const shown = linesOf([gap('2027-03-27T12:00', '2027-03-27T13:00', { times: 1 }, 'Europe/Berlin'), gap('2027-03-28T12:00', '2027-03-28T13:00', { times: 1 }, 'Europe/Berlin')], Date.parse('2027-03-26T00:00:00Z'), () => 'Europe/Berlin');
    expect(shown.map((each) => each.findings.length)).toEqual([2]);
  });
  test('holds what is under way as well, of which only the rest is known', () => {
    // 02:07 by the clock of Auckland.
    const underWay = { ...gap('2026-11-26T02:07', '2026-11-26T03:00'), since: new Date(NOW - 20_000).toISOString() };
    check([underWay, gap('2026-11-27T01:00', '2026-11-27T03:00')], ['Nobody is on call in "Shop" Thursday and Friday 01:00 to 03:00 (Pacific/Auckland) until Fri, Dec 4, 03:00; 4 times']);
    check([underWay, gap('2026-11-27T02:30', '2026-11-27T03:00')], ['server 2026-11-26T02:07', 'server 2026-11-27T02:30']);
  });
  test('of a level is one line as well', () => {
    const level = { kind: 'empty_level', schedule: null, policy: { id: 'web', name: 'Web' }, level: 2 } as const;
    check(week([27, 28], '12:00', '13:00', { ...level, times: 1 }), ['Level 2 of "Web" would page nobody every day 12:00 to 13:00 (Pacific/Auckland) until Sat, Nov 28, 13:00; 2 times']);
  });
});

test('another time, schedule or kind, and what has no end or takes days, stays a line of its own, in the order of the server', () => {
  const findings = [
    gap('2026-11-27T12:00', '2026-11-27T13:00'),
    gap('2026-11-28T12:00', '2026-11-28T14:00'),
    gap('2026-11-28T11:00', '2026-11-28T13:00'),
    gap('2026-11-28T12:00', '2026-11-28T13:00', { schedule: { id: 'web', name: 'Web' }, text: 'another schedule' }),
    gap('2026-11-29T12:00', '2026-11-29T13:00', { until: null, text: 'no end' }),
    gap('2026-12-01T13:00', '2026-12-04T13:00', { text: 'days' }),
    gap('2026-12-08T13:00', '2026-12-11T13:00', { text: 'days again' }),
    gap('2026-12-09T12:00', '2026-12-09T13:00', { kind: 'unreachable', text: 'a person' }),
  ];
  check(findings, ['server 2026-11-27T12:00', 'server 2026-11-28T12:00', 'server 2026-11-28T11:00', 'another schedule', 'no end', 'days', 'days again', 'a person']);
});

test('a gap is filled on the day that the clock of its schedule shows', () => {
  const to = (zone: string, since: string): string | undefined => mendOf(gap('2026-11-27T12:00', '2026-11-27T13:00', { since }), zone)?.to;
  expect(to('Pacific/Auckland', '2026-11-25T20:30:00Z')).toBe('/ui/oncall/schedules/shop?view=week&at=2026-11-26');
  expect(to('America/Los_Angeles', '2026-11-26T03:30:00Z')).toBe('/ui/oncall/schedules/shop?view=week&at=2026-11-25');
  expect(to('UTC', '2026-11-26T03:30:00Z')).toBe('/ui/oncall/schedules/shop?view=week&at=2026-11-26');
});
