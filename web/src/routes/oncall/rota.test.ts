import { expect, test } from 'vitest';
import { cellsOf, coloursOf, dateAt, gapMs, initials, isDate, leavesGap, neighbour, plusDays, stepped, weeksOf, type Week } from './rota.ts';

const HOUR = 3_600_000;
const hours = (week: Week): number[] => week.days.map((day) => (day.until - day.from) / HOUR);
const entry = (from: string, until: string, gap = false) => ({ from, until, gap });
const round = (value: number): number => Math.round(value * 1_000) / 1_000;

test('a week runs from Monday to Monday in the zone of the schedule', () => {
  const [week, ...rest] = weeksOf('week', '2026-11-25', 'Europe/Paris');
  expect(rest).toEqual([]);
  expect(new Date(week!.from).toISOString()).toBe('2026-11-22T23:00:00.000Z');
  expect(week!.days.map((day) => day.date.slice(8))).toEqual(['23', '24', '25', '26', '27', '28', '29']);
  expect(weeksOf('two-weeks', '2026-11-29', 'UTC').map((each) => each.days[0]!.date)).toEqual(['2026-11-23', '2026-11-30']);
});

test('the day of a clock change has 23 or 25 hours and its neighbours 24', () => {
  expect(hours(weeksOf('week', '2026-03-29', 'Europe/Berlin')[0]!)).toEqual([24, 24, 24, 24, 24, 24, 23]);
  expect(hours(weeksOf('week', '2026-10-25', 'Europe/Berlin')[0]!)).toEqual([24, 24, 24, 24, 24, 24, 25]);
  expect(hours(weeksOf('week', '2026-04-05', 'Australia/Lord_Howe')[0]!)).toEqual([24, 24, 24, 24, 24, 24, 24.5]);
});

test('a midnight that is skipped or repeated makes neither a hole nor an overlap between days', () => {
  for (const [zone, date] of [['Africa/Cairo', '2026-04-24'], ['America/Havana', '2026-03-08'], ['America/Havana', '2026-11-01'], ['Asia/Beirut', '2026-10-25'], ['Atlantic/Azores', '2026-10-25']] as const) {
    const week = weeksOf('week', date, zone)[0]!;
    for (const [index, day] of week.days.entries()) {
      expect(day.until).toBe(week.days[index + 1]?.from ?? week.until);
      expect([23, 24, 25]).toContain((day.until - day.from) / HOUR);
      expect(dateAt(day.from, zone)).toBe(day.date);
    }
  }
});

test('a month is shown by all weeks that it touches, over its ends and those of the year', () => {
  const weeks = weeksOf('month', '2027-01-15', 'Europe/Paris');
  expect(weeks[0]!.days[0]!.date).toBe('2026-12-28');
  expect(weeks.at(-1)!.days.at(-1)!.date).toBe('2027-01-31');
  expect(weeks.length).toBe(5);
  expect(weeksOf('month', '2027-02-10', 'UTC').length).toBe(4);
  expect(weeksOf('month', '2026-08-31', 'UTC').length).toBe(6);
});

test('a step leads to the range before or after, also from the last day of a month', () => {
  expect(stepped('month', '2026-01-31', 1)).toBe('2026-02-01');
  expect(stepped('month', '2026-01-31', -1)).toBe('2025-12-01');
  expect(stepped('week', '2026-12-29', 1)).toBe('2027-01-05');
  expect(stepped('two-weeks', '2026-03-05', -1)).toBe('2026-02-19');
  expect(plusDays('2028-02-28', 1)).toBe('2028-02-29');
});

test('only dates of the calendar are dates', () => {
  expect(['2026-02-28', '2026-02-29', '2026-13-01', '26-1-1', ''].map(isDate)).toEqual([true, false, false, false, false]);
});

test('a shift lies where its instants are, on a day of 23 hours too', () => {
  const weeks = weeksOf('week', '2026-03-29', 'Europe/Berlin');
  // From Sunday 00:00 to the end of the week: 23 of 167 hours.
  const [cell] = cellsOf([entry('2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z')], weeks);
  expect(round(cell!.left)).toBe(round((144 / 167) * 100));
  expect(round(cell!.width)).toBe(round((23 / 167) * 100));
  expect([cell!.cutStart, cell!.cutEnd]).toEqual([false, false]);
});

test('a shift over the end of a week has a part in each, and together the parts fill the weeks', () => {
  const weeks = weeksOf('month', '2026-11-15', 'UTC');
  const cells = cellsOf([entry('2026-10-01T00:00:00Z', '2026-11-11T09:00:00Z'), entry('2026-11-11T09:00:00Z', '2026-11-12T09:00:00Z', true), entry('2026-11-12T09:00:00Z', '2027-01-01T00:00:00Z')], weeks);
  for (const index of weeks.keys()) {
    const own = cells.filter((cell) => cell.week === index);
    expect(round(own.reduce((sum, cell) => sum + cell.width, 0))).toBe(100);
    expect(own[0]!.left).toBe(0);
  }
  expect(cells[0]).toMatchObject({ week: 0, cutStart: true, cutEnd: true });
  expect(cells.filter((cell) => cell.entry.gap).length).toBe(1);
});

test('what touches a week only by its edge is not in it', () => {
  const weeks = weeksOf('week', '2026-11-23', 'UTC');
  expect(cellsOf([entry('2026-11-16T00:00:00Z', '2026-11-23T00:00:00Z'), entry('2026-11-30T00:00:00Z', '2026-12-07T00:00:00Z')], weeks)).toEqual([]);
});

test('gaps count within what is shown only', () => {
  const span = { from: Date.parse('2026-11-23T00:00:00Z'), until: Date.parse('2026-11-30T00:00:00Z') };
  const entries = [entry('2026-11-22T22:00:00Z', '2026-11-23T03:00:00Z', true), entry('2026-11-23T03:00:00Z', '2026-11-29T12:00:00Z'), entry('2026-11-29T12:00:00Z', '2026-12-09T00:00:00Z', true)];
  expect(gapMs(entries, span) / HOUR).toBe(15);
  expect(gapMs(entries.slice(1, 2), span)).toBe(0);
});

test('a duty leaves a gap where the next shift begins later than it ends, or never', () => {
  const [noon, later] = ['2026-11-25T12:00:00Z', '2026-11-25T12:00:01Z'];
  expect(leavesGap(noon, { from: noon })).toBe(false);
  expect(leavesGap(noon, { from: later })).toBe(true);
  expect(leavesGap(noon, null)).toBe(true);
  expect([null, undefined].map((until) => leavesGap(until, null))).toEqual([false, false]);
});

test('arrow keys lead to the neighbours, up and down by the time of the week, and stop at the ends', () => {
  const weeks = weeksOf('two-weeks', '2026-11-23', 'UTC');
  const cells = cellsOf([entry('2026-11-23T00:00:00Z', '2026-11-25T00:00:00Z'), entry('2026-11-25T00:00:00Z', '2026-12-04T00:00:00Z'), entry('2026-12-04T00:00:00Z', '2026-12-09T00:00:00Z')], weeks);
  expect(cells.map((cell) => cell.week)).toEqual([0, 0, 1, 1]);
  expect(['ArrowRight', 'ArrowDown', 'End', 'ArrowLeft', 'ArrowUp', 'x'].map((key) => neighbour(cells, 0, key))).toEqual([1, 2, 3, 0, 0, 0]);
  expect(neighbour(cells, 3, 'ArrowUp')).toBe(1);
  expect(neighbour(cells, 3, 'ArrowRight')).toBe(3);
});

test('people keep their colour, and narrow places show initials', () => {
  const colours = coloursOf(Array.from({ length: 9 }, (_, index) => ({ id: `Q${index}` })));
  expect(colours.get('Q7')).toBe(7);
  expect(colours.get('Q8')).toBe(0);
  expect(['Ada Lovelace', 'grace', 'Lin 林', '', '<3', 'Jean-Luc de la Tour', 'Lin <b>'].map(initials)).toEqual(['AL', 'GR', 'L林', '?', '3', 'JT', 'LB']);
});
