// What is true once the policy is through, in words: who is paged as the last resort, and what came before. Pure.
import type { Paging } from '../../lib/api/index.ts';

export interface LastResort {
  /** How it came to the last resort. */
  why: string;
  /** Who is paged; null when nobody can be. */
  names: string | null;
}

export function lastResort(paging: Pick<Paging, 'level' | 'recipients'>): LastResort {
  return {
    why:
      paging.level > 0
        ? 'The policy is through and nobody has acknowledged.'
        : 'No level of the policy had anybody who can be reached.',
    names: paging.recipients.map((each) => each.name).join(', ') || null,
  };
}
