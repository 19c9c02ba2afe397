import { expect, test } from 'vitest';
import { blocksOf } from './markdown.ts';

test('headings, paragraphs, lists and tables become blocks of plain text', () => {
  const text = '# Title\n\nOne line\nand **another**.\n\n- first `code`\n- second\n  goes on\n\n| a | b |\n|---|---|\n| 1 | x \\| y |\n\n![chain](x.svg)';
  expect(blocksOf(text)).toEqual([
    { kind: 'heading', level: 1, text: 'Title' },
    { kind: 'paragraph', text: 'One line and another.' },
    { kind: 'list', items: ['first code', 'second goes on'] },
    { kind: 'table', rows: [['a', 'b'], ['1', 'x | y']] },
  ]);
});

test('markup stays text', () => {
  expect(blocksOf('<img src=x onerror=alert(1)>\n\n[click](javascript:alert)')).toEqual([
    { kind: 'paragraph', text: '<img src=x onerror=alert(1)>' },
    { kind: 'paragraph', text: 'click' },
  ]);
});
