import { expect, test } from 'vitest';
import { chainLinks } from './chain.ts';

type Facts = Parameters<typeof chainLinks>[0];

const quiet: Facts = {
  status: 'triggered',
  urgency: 'high',
  opened_at: '2026-11-23T07:00:00.200Z',
  onset_at: '2026-11-23T07:00:00.000Z',
  onset_uncertainty_ms: 120,
  paged_at: null,
  acknowledged_at: null,
  acknowledged_by: null,
  recovered_at: null,
  resolved_at: null,
  hold: null,
  suppressed: null,
};

function check(given: Partial<Facts>, expected: string[]): void {
  const text = chainLinks({ ...quiet, ...given }).map((each) =>
    [each.label, each.state, each.gapMs ?? '-', each.note].join(' | '),
  );
  expect(text).toEqual(expected);
}

test('what happened carries the time since the link before it', () => {
  check({ paged_at: '2026-11-23T07:00:00.410Z' }, [
    'Onset | done | - | up to 120 ms earlier',
    'Found | done | 200 | ',
    'Paged | done | 210 | ',
    'Acknowledged | open | - | ',
    'Healthy again | open | - | ',
    'Resolved | open | - | ',
  ]);
});

test('a recovery before the acknowledgement stands before it', () => {
  check(
    {
      paged_at: '2026-11-23T07:00:01.000Z',
      recovered_at: '2026-11-23T07:00:05.000Z',
      acknowledged_at: '2026-11-23T07:00:09.000Z',
      acknowledged_by: { id: 'Q1', name: 'Ada' },
    },
    [
      'Onset | done | - | up to 120 ms earlier',
      'Found | done | 200 | ',
      'Paged | done | 800 | ',
      'Healthy again | done | 4000 | ',
      'Acknowledged | done | 4000 | Ada',
      'Resolved | open | - | ',
    ],
  );
});

test('a page that is not sent says why', () => {
  check({ suppressed: 'Muted until 08:00', status: 'resolved', resolved_at: '2026-11-23T07:01:00.200Z' }, [
    'Onset | done | - | up to 120 ms earlier',
    'Found | done | 200 | ',
    'Resolved | done | 60000 | ',
    'Not paged | skipped | - | Muted until 08:00',
  ]);
});

test('a held page says what it waits for', () => {
  const hold = { until: '2026-11-23T07:00:02.000Z', why: 'A supervisor may restart it' };
  expect(chainLinks({ ...quiet, hold }).find((each) => each.key === 'paged')?.note).toBe('A supervisor may restart it');
});

test('what is not urgent is not paged, and says so while it is open', () => {
  expect(chainLinks({ ...quiet, urgency: 'low' }).find((each) => each.key === 'paged')).toMatchObject({ label: 'Not paged', note: 'It is not urgent.', state: 'skipped' });
});
