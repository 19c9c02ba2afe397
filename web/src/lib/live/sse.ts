// Bytes of a server-sent event stream become events. Pure: it knows no network and no clock.

export interface SseEvent {
  id: string | null;
  event: string;
  data: string;
}

/** The longest line and event that are kept, in characters; a longer one is dropped whole. */
const EVENT_CHARS_MAX = 65_536;

/** Feeds decoded text in any pieces; calls `emit` per event. Comments (keepalives) are skipped. */
export function sseParser(emit: (event: SseEvent) => void): (text: string) => void {
  let rest = '';
  let id: string | null = null;
  let event = '';
  let data: string[] = [];
  let chars = 0;

  const field = (line: string): void => {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'id' && !value.includes('\0')) id = value;
    else if (name === 'event') event = value;
    else if (name === 'data') data.push(value);
  };

  const endOfEvent = (): void => {
    if (data.length > 0 && chars <= EVENT_CHARS_MAX) emit({ id, event: event || 'message', data: data.join('\n') });
    event = '';
    data = [];
    chars = 0;
  };

  return (text) => {
    rest += text;
    let end = lineEnd(rest);
    while (end) {
      const line = rest.slice(0, end.at);
      rest = rest.slice(end.at + end.length);
      chars += line.length;
      if (line === '') endOfEvent();
      else if (!line.startsWith(':') && chars <= EVENT_CHARS_MAX) field(line);
      end = lineEnd(rest);
    }
    if (rest.length > EVENT_CHARS_MAX) {
      chars += rest.length;
      rest = '';
    }
  };
}

function lineEnd(text: string): { at: number; length: number } | null {
  const at = text.search(/[\r\n]/);
  if (at < 0) return null;
  if (text[at] === '\n') return { at, length: 1 };
  // A lone carriage return at the very end may be half of a pair: wait for more.
  if (at === text.length - 1) return null;
  return { at, length: text[at + 1] === '\n' ? 2 : 1 };
}
