// What comes from outside is shown as text. This reads the sources themselves, so that no later screen forgets it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const FORBIDDEN = ['{@html', '.innerHTML', '.outerHTML', 'insertAdjacentHTML', 'document.write', 'srcdoc', 'eval(', 'new Function'];
// Written by `npm run generate` from openapi.json, read by nobody.
const GENERATED = join('lib', 'api', 'schema.d.ts');
const root = join(import.meta.dirname, '..');

const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(svelte|ts)$/.test(name) && !name.endsWith('.test.ts'))
  .map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') }));

test('no source turns text into markup or code', () => {
  const found = sources.flatMap(({ name, text }) => FORBIDDEN.filter((each) => text.includes(each)).map((each) => `${name}: ${each}`));
  expect(found).toEqual([]);
});

test('no source names an outside host', () => {
  const outside = sources.flatMap(({ name, text }) =>
    [...text.matchAll(/https?:\/\/([\w.-]+)/g)]
      .map((hit) => hit[1] ?? '')
      .filter((host) => !/(^|\.)(example|example\.org|example\.com)$/.test(host) && host !== 'www.w3.org')
      .map((host) => `${name}: ${host}`),
  );
  expect(outside).toEqual([]);
});

test('every source stays below 500 lines and opens with what it is', () => {
  const wrong = sources
    .filter(({ name }) => name !== GENERATED)
    .filter(({ text }) => text.split('\n').length > 500 || !/^(\/\/ |<!-- |\/\* )/.test(text))
    .map(({ name }) => name);
  expect(wrong).toEqual([]);
});
