import { expect, test } from 'vitest';
import { sseParser, type SseEvent } from './sse.ts';

function check(pieces: string[], expected: SseEvent[]): void {
  const events: SseEvent[] = [];
  const feed = sseParser((event) => events.push(event));
  for (const piece of pieces) feed(piece);
  expect(events).toEqual(expected);
}

test('an event is read with its id, name and data', () => {
  check(['id: 7\nevent: change\ndata: {"a":1}\n\n'], [{ id: '7', event: 'change', data: '{"a":1}' }]);
});

test('events may come in any pieces and line ends', () => {
  check(['id: 7\r', '\ndat', 'a: x\r\n\r', '\ndata:y\n\n'], [
    { id: '7', event: 'message', data: 'x' },
    { id: '7', event: 'message', data: 'y' },
  ]);
});

test('comments keep the connection alive and nothing else', () => {
  check([': keepalive\n\n', ':\n\n'], []);
});

test('several data lines are one text', () => {
  check(['data: a\ndata: b\n\n'], [{ id: null, event: 'message', data: 'a\nb' }]);
});

test('an endless line is dropped and the next event is read', () => {
  check([`data: ${'x'.repeat(70_000)}`, 'y\n\n', 'data: fine\n\n'], [{ id: null, event: 'message', data: 'fine' }]);
});
