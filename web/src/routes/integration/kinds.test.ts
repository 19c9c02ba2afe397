import { expect, test } from 'vitest';
import { KIND_NAMES, pasteOf, quoted } from './kinds.ts';

const KEY = '12345678901234567890123456789012';
const lines = (kind: (typeof KIND_NAMES)[number], address: string, sample?: string): string[] => pasteOf({ kind, routing_key: KEY, address }, sample).lines.map((each) => each.text);

test('prometheus is given scheme, host with port, path and key, and no key is read as a number', () => {
  const [block] = lines('alertmanager', 'http://[::1]:8700/below/alertmanager');
  expect(block).toBe(`alerting:
  alertmanagers:
    - scheme: http
      path_prefix: "/below/alertmanager"
      static_configs:
        - targets: ["[::1]:8700"]
      authorization:
        credentials: "${KEY}"`);
});

test('where a header can carry the key, the address does not', () => {
  const [address, header, shell] = lines('grafana', `https://tocsin.example.org/intake/${KEY}`);
  expect(address).toBe(`https://tocsin.example.org/intake/${KEY}`);
  expect(header).toContain('url: "https://tocsin.example.org/intake"\n');
  expect(header).toContain(`authorization_credentials: "${KEY}"`);
  expect(shell).toMatch(/^curl -sS https:\/\/tocsin\.example\.org\/intake -H 'Authorization: Bearer 1/);
});

test('the test of each kind is the same key in the form that its senders use', () => {
  expect(lines('events_v2', 'https://t/v2/enqueue')[1]).toContain(`"routing_key":"${KEY}"`);
  expect(lines('opsgenie', 'https://t')[1]).toContain(`https://t/v2/alerts -H 'Authorization: GenieKey ${KEY}'`);
  expect(lines('alertmanager', 'https://t/alertmanager')[1]).toContain(`https://t/alertmanager/api/v2/alerts -H 'Authorization: Bearer ${KEY}'`);
  expect(lines('email', `${KEY}@alerts.example.org`)[1]).toContain(`mail -s 'Disk full' ${KEY}@alerts.example.org`);
});

test('what is pasted into a shell is one argument, whatever it holds', () => {
  expect(quoted(`{"a": "it's $(id) \`id\`"}`)).toBe(`'{"a": "it'\\''s $(id) \`id\`"}'`);
  expect(lines('webhook', `https://t/intake/${KEY}`, `{"x": "'; rm -rf /"}`)[1]).toMatch(/ -d '\{"x": "'\\''; rm -rf \/"\}'$/);
});

test('every kind has something to paste and a word about it', () => {
  for (const kind of KIND_NAMES) {
    const paste = pasteOf({ kind, routing_key: KEY, address: 'https://t/x' });
    expect(paste.lines.length, kind).toBeGreaterThan(1);
    expect(paste.note, kind).not.toBe('');
  }
});
