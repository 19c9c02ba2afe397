import { expect, test } from 'vitest';
import { coloursOf, panelsOf, placeLabels, short, tableOf } from './chart-model.ts';

test('series of one unit share a panel and a time axis', () => {
  const panels = panelsOf([
    { name: 'ok', unit: 'req/s', points: [[1, 10], [3, 30]] },
    { name: 'failed', unit: 'req/s', points: [[2, 5], [3, null]] },
    { name: 'busy', unit: 'workers', points: [] },
  ]);
  expect(panels).toEqual([
    { unit: 'req/s', names: ['ok', 'failed'], times: [1, 2, 3], values: [[10, null, 30], [null, 5, null]] },
    { unit: 'workers', names: ['busy'], times: [], values: [[]] },
  ]);
});

test('series without a unit stand alone, and failures come first', () => {
  const panels = panelsOf([
    { name: 'Up', unit: '', points: [] },
    { name: 'Busy workers', unit: '', points: [] },
    { name: 'Requests', unit: '/s', points: [] },
    { name: 'Failed requests', unit: '/s', points: [] },
  ]);
  expect(panels.map((each) => each.names)).toEqual([['Requests', 'Failed requests'], ['Up'], ['Busy workers']]);
});

test('only what counts failures is red', () => {
  expect(coloursOf(['failed', 'answered', 'workers busy', '5xx'])).toEqual(['--series-1', '--series-2', '--series-3', '--series-1']);
});

test('the table spreads its rows and keeps the last value', () => {
  const panel = { unit: '', names: ['a'], times: [0, 1, 2, 3, 4], values: [[0, 1, 2, 3, 4]] };
  expect(tableOf(panel, 3).map((row) => row.at)).toEqual([0, 2, 4]);
  expect(tableOf({ ...panel, times: [], values: [[]] }, 3)).toEqual([]);
});

test('numbers are short and honest', () => {
  expect([0, 0.01234, 1.005, 12.34, 123.4, 12_340, 1_234_000, null].map(short)).toEqual([
    '0', '0.0123', '1', '12.3', '123', '12.3k', '1.23M', '–',
  ]);
});

test('near marks share a label and others do not overlap', () => {
  const placed = placeLabels(
    [{ x: 100, label: 'Onset' }, { x: 102, label: 'Paged' }, { x: 120, label: 'Acknowledged' }, { x: 290, label: 'Resolved' }],
    (text) => text.length * 6,
    { left: 0, right: 300, nearPx: 4, rowsMax: 3 },
  );
  expect(placed).toEqual([
    { text: 'Onset · Paged', x: 100, row: 0, alignRight: false },
    { text: 'Acknowledged', x: 120, row: 1, alignRight: false },
    { text: 'Resolved', x: 290, row: 0, alignRight: true },
  ]);
});
