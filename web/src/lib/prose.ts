// Finds the instants in a sentence of the server, so that they can be told by the reader's clock. Pure.

/** A part of a sentence: its words, or an instant as it was written. */
export type Piece = { text: string } | { at: string };

/** What the server quotes is foreign and stays as it is; an instant that is a part of a name or an address is none. */
const QUOTED_OR_INSTANT = /“[^”]*”|(?<![\w.:/=?&+-])\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})(?![\w/=&+-]|:\w)/g;

/** The sentence in parts, in order; together they are the whole of it. */
export function piecesOf(sentence: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const found of sentence.matchAll(QUOTED_OR_INSTANT)) {
    const [at] = found;
    if (at.startsWith('“') || Number.isNaN(Date.parse(at))) continue;
    if (found.index > end) pieces.push({ text: sentence.slice(end, found.index) });
    pieces.push({ at });
    end = found.index + at.length;
  }
  if (end < sentence.length) pieces.push({ text: sentence.slice(end) });
  return pieces;
}
