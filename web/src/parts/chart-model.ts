// Prepares series and marks for drawing: groups, common time axis, label rows, a table as text. Pure.
import type { ChartSeries } from '../lib/api/index.ts';

export interface Panel {
  unit: string;
  names: string[];
  /** Milliseconds since 1970, ascending. */
  times: number[];
  /** One row of values per name, aligned with `times`. */
  values: (number | null)[][];
}

/**
 * One panel per unit, whose series share one time axis; a series without a unit has nothing to share. What counts
 * failures comes first, since a phone shows only the first.
 */
export function panelsOf(series: ChartSeries[]): Panel[] {
  const keyOf = (each: ChartSeries): string => (each.unit === '' ? `of ${each.name}` : `in ${each.unit}`);
  const keys = [...new Set(series.map(keyOf))];
  const panels = keys.map((key) => {
    const own = series.filter((each) => keyOf(each) === key);
    return align(own[0]?.unit ?? '', own);
  });
  const rank = (panel: Panel): number => Number(!panel.names.some((name) => FAILURE.test(name)));
  return panels.sort((a, b) => rank(a) - rank(b));
}

function align(unit: string, series: ChartSeries[]): Panel {
  const times = [...new Set(series.flatMap((each) => each.points.map(([at]) => at)))].sort((a, b) => a - b);
  const values = series.map((each) => {
    const known = new Map(each.points);
    return times.map((at) => known.get(at) ?? null);
  });
  return { unit, names: series.map((each) => each.name), times, values };
}

/** The custom property that colours each series: what counts failures is red, and nothing else is. */
export function coloursOf(names: string[]): string[] {
  let calm = 0;
  return names.map((name) => (FAILURE.test(name) ? '--series-1' : (CALM[calm++ % CALM.length] ?? '--series-2')));
}

const FAILURE = /fail|error|5xx|refus|reject|timeout/i;
const CALM = ['--series-2', '--series-3', '--series-4', '--series-5'];

/** At most `rows` rows of the panel, evenly spread, the last one included. */
export function tableOf(panel: Panel, rows: number): { at: number; values: (number | null)[] }[] {
  const count = Math.min(rows, panel.times.length);
  return Array.from({ length: count }, (_, row) => {
    const index = count === 1 ? panel.times.length - 1 : Math.round((row * (panel.times.length - 1)) / (count - 1));
    return { at: panel.times[index] ?? 0, values: panel.values.map((line) => line[index] ?? null) };
  });
}

/** A number as short as it stays honest: three significant digits, thousands as k and M. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const abs = Math.abs(value);
  if (abs >= 1e6) return `${trim(value / 1e6)}M`;
  if (abs >= 1e4) return `${trim(value / 1e3)}k`;
  return trim(value);
}

function trim(value: number): string {
  const abs = Math.abs(value);
  const digits = abs >= 100 ? 0 : abs >= 10 ? 1 : abs >= 0.1 || abs === 0 ? 2 : 4;
  return String(Number(value.toFixed(digits)));
}

export interface PlacedLabel {
  text: string;
  x: number;
  row: number;
  alignRight: boolean;
}

/** Places mark labels without overlap: marks closer than `nearPx` share one label, later ones move down a row. */
export function placeLabels(
  marks: { x: number; label: string }[],
  measure: (text: string) => number,
  bounds: { left: number; right: number; nearPx: number; rowsMax: number },
): PlacedLabel[] {
  const groups: { x: number; text: string }[] = [];
  for (const mark of [...marks].sort((a, b) => a.x - b.x)) {
    const last = groups.at(-1);
    if (last && mark.x - last.x < bounds.nearPx) last.text += ` · ${mark.label}`;
    else groups.push({ x: mark.x, text: mark.label });
  }
  const rowEnds: number[] = [];
  return groups.map(({ x, text }) => {
    const width = measure(text) + 10;
    const alignRight = x + width > bounds.right;
    const start = alignRight ? Math.max(bounds.left, x - width) : x;
    let row = rowEnds.findIndex((end) => end <= start);
    if (row < 0) row = Math.min(rowEnds.length, bounds.rowsMax - 1);
    rowEnds[row] = start + width;
    return { text, x, row, alignRight };
  });
}
