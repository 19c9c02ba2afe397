// Conditions on the labels of alerts: how many there may be and how each is told; it must not know how they are edited.
import type { Matcher, MatcherOperator } from '../../lib/api/index.ts';
import { visible } from '../../lib/words.ts';

/** So many the server takes. */
export const MATCHERS_MAX = 64;
/** Bytes of a name or a value that it takes; fewer characters when some take several. */
export const MATCHER_CHARS_MAX = 1_024;

export const OPERATOR_WORDS: Record<MatcherOperator, string> = {
  '=': 'is',
  '!=': 'is not',
  '=~': 'fits the pattern',
  '!~': 'does not fit the pattern',
};

/** As amtool writes it. */
export function matcherText({ name, operator, value }: Matcher): string {
  return visible(`${name}${operator}${JSON.stringify(value)}`);
}
