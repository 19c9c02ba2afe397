// The few block shapes of our own postmortem Markdown, as data. Inline marks are dropped; what comes out is only ever shown as text. Pure.

export type Block =
  | { kind: 'heading'; level: number; text: string }
  | { kind: 'paragraph'; text: string }
  | { kind: 'list'; items: string[] }
  | { kind: 'table'; rows: string[][] };

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  for (const raw of markdown.split(/\r?\n/)) addLine(blocks, raw.trim());
  return blocks.filter((block) => block.kind !== 'paragraph' || block.text !== '');
}

function addLine(blocks: Block[], line: string): void {
  const last = blocks.at(-1);
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  const item = /^(?:[-*]|\d+[.)])\s+(.*)$/.exec(line);
  if (line === '') blocks.push({ kind: 'paragraph', text: '' });
  else if (heading) blocks.push({ kind: 'heading', level: heading[1]?.length ?? 1, text: plain(heading[2] ?? '') });
  else if (/^!\[/.test(line)) return;
  else if (line.startsWith('|')) addRow(blocks, last, line);
  else if (item && last?.kind === 'list') last.items.push(plain(item[1] ?? ''));
  else if (item) blocks.push({ kind: 'list', items: [plain(item[1] ?? '')] });
  else if (last?.kind === 'paragraph' && last.text !== '') last.text += ` ${plain(line)}`;
  else if (last?.kind === 'list') last.items.push(`${last.items.pop() ?? ''} ${plain(line)}`);
  else blocks.push({ kind: 'paragraph', text: plain(line) });
}

function addRow(blocks: Block[], last: Block | undefined, line: string): void {
  if (/^\|[\s|:-]+$/.test(line)) return;
  const cells = line
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => plain(cell.trim()));
  if (last?.kind === 'table') last.rows.push(cells);
  else blocks.push({ kind: 'table', rows: [cells] });
}

/** Drops the marks of emphasis, code and links, and the escapes in front of punctuation. */
function plain(text: string): string {
  return text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/(?<!\\)(\*\*|__|`)/g, '')
    .replace(/\\([\\`*_{}[\]()#+\-.!|<>~&])/g, '$1');
}
