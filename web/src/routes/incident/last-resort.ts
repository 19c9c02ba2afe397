// What is true once the policy is through, in words: who is paged as the last resort, and what came before. Pure.
import type { Named, Paging } from '../../lib/api/index.ts';

export interface LastResort {
  /** How it came to the last resort. */
  why: string;
  /** Who is paged; null when nobody can be. */
  names: string | null;
}

/** `given`: the people it was given to; a policy is not followed then. */
export function lastResort(paging: Pick<Paging, 'level' | 'recipients'>, given: Named[]): LastResort {
  return { why: why(paging.level, given), names: paging.recipients.map((each) => each.name).join(', ') || null };
}

function why(level: number, given: Named[]): string {
  if (level > 0) return 'The policy is through and nobody has acknowledged.';
  if (given.length > 0) return `${given.map((each) => each.name).join(', ')}, to whom it was given, did not acknowledge or cannot be reached.`;
  return 'Nobody who was to be paged first can be reached.';
}
